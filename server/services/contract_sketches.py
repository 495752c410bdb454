"""Contracts as somebody enters them: which side that is, and everything wrong with what was entered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server import texts
from server.errors import Refusal, Unmet
from server.models.contracts import Contract
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.contracts import ReferenceFacts, makers, reference_unmet, signed_by_both_here
from server.services.contract_lists import names_on


class NotAParty(Refusal):
    """The asker's organisation is neither side of the contract."""

    status, code = 422, "not_a_party"


class NotYoursToMake(Refusal):
    """In this programme the other side enters the contract."""

    status, code = 403, "not_yours_to_make"


class ContractUnusable(Refusal):
    """What is entered cannot be a contract of this programme; ``unmet`` names everything wrong."""

    status, code = 422, "contract_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A contract as somebody enters it. Money in fen, days in China.

    ``signed_on``   the day it bears; ``None`` where it is signed here
    ``kind``        the kind of voucher that is to pay, where the programme has several
    ``wanted_fen``  the most the enterprise wants its vouchers to pay; ``None``: as much as they may
    """

    enterprise_uscc: str
    enterprise_name: str
    provider_uscc: str
    provider_name: str
    number: str
    project: str
    category: str
    amount_fen: int
    signed_on: date | None = None
    kind: str = ""
    wanted_fen: int | None = None
    file_ids: tuple[int, ...] = ()


def sketch_of(contract: Contract, enterprise_uscc: str) -> Sketch:
    """A stored contract as it was entered."""
    return Sketch(
        enterprise_uscc=enterprise_uscc,
        enterprise_name=contract.enterprise_name,
        provider_uscc=contract.provider_uscc,
        provider_name=contract.provider_name,
        number=contract.number,
        project=contract.project,
        category=contract.category,
        amount_fen=contract.amount_fen,
        signed_on=contract.signed_on,
        kind=contract.kind,
        wanted_fen=contract.wanted_fen,
    )


def party_of(programme: Programme, sketch: Sketch, organisation: Organisation) -> Party:
    """Which side the asker is. Raises :class:`NotAParty`, :class:`NotYoursToMake`."""
    if organisation.uscc == sketch.enterprise_uscc:
        party = Party.ENTERPRISE
    elif organisation.uscc == sketch.provider_uscc:
        party = Party.PROVIDER
    else:
        raise NotAParty()
    allowed = makers(programme)
    if party not in allowed:
        by = texts.LIST.join(texts.ACTORS[one.value] for one in Party if one in allowed)
        raise NotYoursToMake(clause=programme.contract.article, by=by)
    return party


def _day_unmet(programme: Programme, sketch: Sketch) -> tuple[Unmet, ...]:
    """A contract signed here has its day from here; any other says its own."""
    if signed_by_both_here(programme) == (sketch.signed_on is None):
        return ()
    code = "day_missing" if sketch.signed_on is None else "day_recorded_here"
    return (Unmet(code, programme.contract.article, texts.CONTRACT[code]),)


async def require_usable(
    programme: Programme,
    sketch: Sketch,
    enterprise: Organisation,
    provider: Organisation | None,
    *,
    today: date,
) -> None:
    """Raise :class:`ContractUnusable` with everything wrong with a contract entered or signed today."""
    unmet = _day_unmet(programme, sketch) or reference_unmet(
        programme, await _facts(sketch, enterprise, provider, sketch.signed_on or today), today
    )
    if unmet:
        raise ContractUnusable(clause=unmet[0].clause, unmet=unmet, count=len(unmet))


async def _facts(
    sketch: Sketch, enterprise: Organisation, provider: Organisation | None, signed_on: date
) -> ReferenceFacts:
    return ReferenceFacts(
        signed_on=signed_on,
        category=sketch.category,
        enterprise_uscc=enterprise.uscc,
        enterprise_name=sketch.enterprise_name,
        registered_enterprise_names=await names_on(enterprise, signed_on),
        provider_uscc=sketch.provider_uscc,
        provider_name=sketch.provider_name,
        registered_provider_names=(frozenset() if provider is None else await names_on(provider, signed_on)),
    )
