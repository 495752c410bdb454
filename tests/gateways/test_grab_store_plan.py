"""How PostgreSQL reads the rows of a launch, before it knows anything about a table that fills in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import asyncpg

from server.gateways.grab_store_postgres import STANDING

CLAIMS = f"""
PREPARE standing (bigint, bigint[], bigint[], text[]) AS {STANDING};
SET plan_cache_mode = force_generic_plan"""
PLAN = "EXPLAIN (FORMAT json) EXECUTE standing (1, '{1}', '{1}', '{key}')"


def readings(plan: dict[str, Any], table: str) -> Iterator[dict[str, Any]]:
    """Every place of a plan that reads a table."""
    if plan.get("Relation Name") == table:
        yield plan
    for part in plan.get("Plans", ()):
        yield from readings(part, table)


async def test_a_claim_reads_its_own_enterprise_and_never_the_year(postgres_url: str) -> None:
    """A launch begins with the plan that an empty table got, and keeps it while thousands are granted."""
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(CLAIMS)
        [explained] = json.loads(await connection.fetchval(PLAN))
    finally:
        await connection.close()
    for table in ("voucher", "entitlement", "grab_decision"):
        found = list(readings(explained["Plan"], table))
        assert found
        for one in found:
            assert "enterprise_id = c.enterprise_id" in one.get("Index Cond", ""), one
