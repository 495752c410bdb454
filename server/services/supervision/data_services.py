"""Data services: contracts checked against what banks and regulators share (GX-69).

Asked once a settlement of the contract is handed in; whoever reviews it sees each source's last word as a
line of the system's own. A source that is silent speaks neither for a contract nor against it.
"""

from __future__ import annotations

from datetime import date

from tortoise.transactions import in_transaction

from server.gateways.contract_checks import ContractChecks, Sides
from server.models.contracts import Contract
from server.models.monitoring import ContractCheck, SharedRecord
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.rules.contract_checks import CheckVerdict, SharedSource
from server.rules.deadlines import day_of
from server.services import access
from server.services.access import Actor, NotFound
from server.services.supervision.supervision_book import (
    DECIDING,
    SUPERVISORS,
    SupervisionBook,
    note,
    require_words,
)

BATCH = 50
# Contracts behind what is under review that nobody was asked about yet.
_DUE = f"""
SELECT DISTINCT o.contract_id AS id, o.programme_slug AS slug FROM settlement s
JOIN service_order o ON o.id = s.order_id
LEFT JOIN contract_check c ON c.contract_id = o.contract_id
WHERE s.status IN ('in_review', 'payable', 'awaiting_budget') AND o.contract_id IS NOT NULL
AND c.id IS NULL ORDER BY o.contract_id LIMIT {BATCH}"""


class DataServices:
    """Asks the sources. ``checks`` is the way to them, or its stand-in."""

    def __init__(self, book: SupervisionBook, checks: ContractChecks) -> None:
        self.book = book
        self.checks = checks

    async def ask_due(self) -> int:
        """Ask about the contracts of what was handed in; returns how many."""
        async with in_transaction() as connection:
            rows = await connection.execute_query_dict(_DUE)
        asked = 0
        for row in rows:
            if wants(self.book.programmes.get(str(row["slug"]))):
                await self.ask(int(row["id"]))
                asked += 1
        return asked

    async def ask(self, contract_id: int) -> list[ContractCheck]:
        """Ask every source about a contract and keep what each says."""
        contract = await Contract.get(id=contract_id)
        sides = dict(
            await Organisation.filter(id__in=[contract.enterprise_id, contract.provider_id]).values_list(
                "id", "uscc"
            )
        )
        now = self.book.now(contract.programme_slug)
        told = Sides(
            enterprise_uscc=sides[contract.enterprise_id],
            provider_uscc=sides[contract.provider_id],
            amount_fen=contract.amount_fen,
            signed_on=contract.signed_on or day_of(now),
        )
        answers = [(source, await self.checks.ask(source, told)) for source in SharedSource]
        async with in_transaction():
            rows = [
                await ContractCheck.create(
                    contract_id=contract.id,
                    source=source,
                    verdict=answer.verdict,
                    says=answer.says,
                    asked_at=now,
                )
                for source, answer in answers
            ]
            await note(
                "contract.checked",
                f"contract:{contract.id}",
                actor=access.CLOCK,
                now=now,
                programme_slug=contract.programme_slug,
                verdicts={source.value: answer.verdict.value for source, answer in answers},
            )
        return rows

    async def ask_again(self, contract_id: int, *, actor: Actor) -> list[ContractCheck]:
        """Ask once more, for whoever supervises. Raises ``NotFound``, ``NotAllowed``."""
        contract = await Contract.get_or_none(id=contract_id)
        if contract is None:
            raise NotFound()
        self.book.programme(contract.programme_slug, actor, SUPERVISORS)
        return await self.ask(contract.id)

    async def share(
        self,
        slug: str,
        source: SharedSource,
        uscc: str,
        verdict: CheckVerdict,
        *,
        says: str,
        since: date,
        until: date | None,
        actor: Actor,
    ) -> SharedRecord:
        """Keep what a source shared about an organisation, in the stand-in's table."""
        programme = self.book.programme(slug, actor, DECIDING)
        now = self.book.now(slug)
        async with in_transaction():
            made = await SharedRecord.create(
                source=source,
                uscc=uscc,
                verdict=verdict,
                says=require_words(says) if verdict is not CheckVerdict.LAWFUL else says.strip(),
                since=since,
                until=until,
            )
            await note(
                "shared_record.kept",
                f"shared_record:{made.id}",
                actor=actor,
                now=now,
                programme_slug=programme.slug,
                source=source.value,
                uscc=uscc,
                verdict=verdict.value,
            )
        return made


def wants(programme: Programme) -> bool:
    """Whether the text has its platform check contracts against shared data."""
    return bool(programme.records.platform_duties)
