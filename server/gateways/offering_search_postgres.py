"""The full-text index of listings on PostgreSQL: a ``tsvector`` of bare terms under a GIN index.

The words are ours: no parser, no dictionary, no positions. A lexeme is quoted, so nothing that somebody
types is ever read as an operator.
"""

from __future__ import annotations

from typing import Any

from server.gateways.offering_sought import Clauses, Statement

WRITE = """
INSERT INTO listing_terms (offering_id, terms) VALUES ($1, array_to_tsvector($2::text[]))
ON CONFLICT (offering_id) DO UPDATE SET terms = excluded.terms WHERE listing_terms.terms <> excluded.terms"""
REMOVE = "DELETE FROM listing_terms WHERE offering_id = $1"


class PostgresTerms:
    """Terms in GIN."""

    mark = "$"
    key = "offering_id"

    def has(self, text: str, part: str) -> str:
        """Whether a text contains another, compared by their characters."""
        return f"strpos({text}, {part}) > 0"

    def matches(self, clauses: Clauses, statement: Statement) -> str:
        """One query of the text-search kind."""
        wanted = " & ".join(
            "(" + " | ".join("(" + " & ".join(map(_quoted, terms)) + ")" for terms in ways) + ")"
            for ways in clauses
        )
        return f"listing_terms.terms @@ CAST({statement.put(wanted)} AS TEXT)::tsquery"

    async def write(self, connection: Any, offering_id: int, terms: frozenset[str]) -> None:
        """Write them, unless they are there already: then the index is left alone."""
        await connection.execute_query(WRITE, [offering_id, sorted(terms)])

    async def remove(self, connection: Any, offering_id: int) -> None:
        """Take the row out."""
        await connection.execute_query(REMOVE, [offering_id])


def _quoted(term: str) -> str:
    inside = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{inside}'"
