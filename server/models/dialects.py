"""Raw SQL whose wording differs between the two databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor.base import BaseSchemaEditor


class DialectSQL(ops.RunSQL):
    """Statements for PostgreSQL and for SQLite; each database runs its own."""

    def __init__(self, *, postgres: Sequence[str], sqlite: Sequence[str]) -> None:
        super().__init__(sql="", reverse_sql=None)
        self.statements = {"postgres": tuple(postgres), "sqlite": tuple(sqlite)}

    async def _run_sql(self, state_editor: BaseSchemaEditor, _: Any) -> None:
        # Straight to the client: the schema editor would split a trigger's body at its semicolon.
        for statement in self.statements[state_editor.client.capabilities.dialect]:
            await state_editor.client.execute_query(statement)
