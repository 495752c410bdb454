"""The one table of refusals: merged from the nouns, checked against the classes at start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from server.errors import Refusal
from server.texts.accounts import ACCOUNT_REFUSALS
from server.texts.complaints import COMPLAINT_REFUSALS
from server.texts.deliveries import DELIVERY_REFUSALS
from server.texts.disbursements import DISBURSEMENT_REFUSALS
from server.texts.door import DOOR_REFUSALS
from server.texts.exports import EXPORT_REFUSALS
from server.texts.files import FILE_REFUSALS
from server.texts.interface import INTERFACE_REFUSALS, STATUS_TITLES
from server.texts.lists import LIST_REFUSALS
from server.texts.offerings import OFFERING_REFUSALS
from server.texts.orders import ORDER_REFUSALS
from server.texts.organisations import ORGANISATION_REFUSALS
from server.texts.papers import PAPER_REFUSALS
from server.texts.proof import PROOF_REFUSALS
from server.texts.public_notices import NOTICE_REFUSALS
from server.texts.reports import REPORT_REFUSALS
from server.texts.reviews import REVIEW_REFUSALS
from server.texts.sampling import SAMPLING_REFUSALS
from server.texts.sanctions import SANCTION_REFUSALS
from server.texts.settlements import SETTLEMENT_REFUSALS
from server.texts.standings import STANDING_REFUSALS
from server.texts.supervision import SUPERVISION_REFUSALS
from server.texts.trials import TRIAL_REFUSALS
from server.texts.vouchers import VOUCHER_REFUSALS


class TextsIncomplete(Exception):
    """Refusals and their sentences do not match one to one; the message names each difference."""


def merged(*parts: Mapping[str, str]) -> Mapping[str, str]:
    """The parts as one table; :class:`TextsIncomplete` where a code stands in two of them."""
    whole: dict[str, str] = {}
    for part in parts:
        if twice := sorted(whole.keys() & part.keys()):
            raise TextsIncomplete(f"two sentences for {', '.join(twice)}")
        whole.update(part)
    return whole


REFUSALS: Mapping[str, str] = merged(
    INTERFACE_REFUSALS,
    ACCOUNT_REFUSALS,
    ORGANISATION_REFUSALS,
    STANDING_REFUSALS,
    LIST_REFUSALS,
    EXPORT_REFUSALS,
    REPORT_REFUSALS,
    FILE_REFUSALS,
    PROOF_REFUSALS,
    REVIEW_REFUSALS,
    SAMPLING_REFUSALS,
    NOTICE_REFUSALS,
    VOUCHER_REFUSALS,
    OFFERING_REFUSALS,
    ORDER_REFUSALS,
    DELIVERY_REFUSALS,
    DOOR_REFUSALS,
    PAPER_REFUSALS,
    COMPLAINT_REFUSALS,
    SANCTION_REFUSALS,
    SETTLEMENT_REFUSALS,
    SUPERVISION_REFUSALS,
    DISBURSEMENT_REFUSALS,
    TRIAL_REFUSALS,
)
"""The sentence of each refusal, by the code of its class."""


def check_complete(classes: Iterable[type[Refusal]]) -> None:
    """Raise :class:`TextsIncomplete` unless every code has a sentence and every sentence a code.

    Two classes with one code and different statuses are refused too: a code is one fact.
    """
    statuses: dict[str, set[int]] = {}
    for refusal in classes:
        statuses.setdefault(refusal.code, set()).add(refusal.status)
    differences = [
        *(f"no sentence for {code}" for code in sorted(statuses.keys() - REFUSALS.keys())),
        *(f"no refusal for {code}" for code in sorted(REFUSALS.keys() - statuses.keys())),
        *(f"{code} has statuses {sorted(both)}" for code, both in sorted(statuses.items()) if len(both) > 1),
        *(
            f"no title for status {status}"
            for status in sorted(
                {status for both in statuses.values() for status in both} - STATUS_TITLES.keys()
            )
        ),
    ]
    if differences:
        raise TextsIncomplete("; ".join(differences))


def sentence(refusal: Refusal) -> str:
    """The one Chinese sentence of a refusal, its values filled in."""
    return REFUSALS[refusal.code].format_map({**refusal.values, "retry_after": refusal.retry_after})
