"""The full-text index of listings on SQLite: an FTS5 table whose words are our terms in hexadecimal.

So its tokenizer has nothing to decide, and nothing that somebody types is ever read as an operator.
"""

from __future__ import annotations

from typing import Any

from server.gateways.offering_sought import Clauses, Statement

KNOWN = "SELECT terms FROM listing_terms WHERE rowid = ?1"
WRITE = "INSERT INTO listing_terms (rowid, terms) VALUES (?1, ?2)"
REMOVE = "DELETE FROM listing_terms WHERE rowid = ?1"


class SqliteTerms:
    """Terms in FTS5."""

    mark = "?"
    key = "rowid"

    def has(self, text: str, part: str) -> str:
        """Whether a text contains another, compared by their characters."""
        return f"instr({text}, {part}) > 0"

    def matches(self, clauses: Clauses, statement: Statement) -> str:
        """One query in FTS5's language."""
        wanted = " AND ".join(
            "(" + " OR ".join("(" + " AND ".join(map(_word, terms)) + ")" for terms in ways) + ")"
            for ways in clauses
        )
        return f"listing_terms MATCH {statement.put(wanted)}"

    async def write(self, connection: Any, offering_id: int, terms: frozenset[str]) -> None:
        """Write them, unless they are there already: then the index is left alone."""
        words = " ".join(map(_word, sorted(terms)))
        known = await connection.execute_query_dict(KNOWN, [offering_id])
        if known and known[0]["terms"] == words:
            return
        await connection.execute_query(REMOVE, [offering_id])
        await connection.execute_query(WRITE, [offering_id, words])

    async def remove(self, connection: Any, offering_id: int) -> None:
        """Take the row out."""
        await connection.execute_query(REMOVE, [offering_id])


def _word(term: str) -> str:
    return f"x{term.encode().hex()}"
