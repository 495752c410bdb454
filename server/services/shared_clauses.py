"""Shared clauses: what the platform asks of everybody, because one text or another does.

Who acts for an organisation is settled before anybody knows in which programme; a refusal then names every
text that asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from server import texts
from server.programme.model import Programme
from server.programme.people import PartyRules
from server.rules.forms import form_fields


def of_one_handler(programmes: Iterable[Programme]) -> str:
    """Where the texts say that an organisation has one handler (GZ-03, GZ-55)."""
    return _named(programmes, lambda rules: [rules.account.article] if rules.account.handlers == 1 else [])


def of_identity(programmes: Iterable[Programme], key: str) -> str:
    """Where the texts ask for the identity number under this key of a form, in whichever paper (GZ-54)."""
    return _named(
        programmes,
        lambda rules: [one.field.article for one in form_fields(rules) if one.key.rpartition(".")[2] == key],
    )


def _named(programmes: Iterable[Programme], clauses: Callable[[PartyRules], Iterable[str]]) -> str:
    """The clauses, each under the name of its text."""
    found = {
        programme.name: texts.LIST.join(
            dict.fromkeys(
                clause for rules in (programme.enterprise, programme.provider) for clause in clauses(rules)
            )
        )
        for programme in programmes
    }
    return texts.STEP.join(
        texts.CLAUSE_OF.format(programme=name, clause=clause) for name, clause in found.items() if clause
    )
