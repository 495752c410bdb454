"""Evaluations (绩效评价): how the fund was managed and what it did, by both departments together (GX-83).

The platform works out the indicators, the departments write what they make of them, and each signs by
somebody of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.functions import Count, Sum
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.complaints import Complaint
from server.models.monitoring import AnomalyFinding, EvaluationSignature, PolicyEvaluation
from server.models.ratings import Rating
from server.models.settlements import Settlement
from server.models.supervision import Inspection
from server.programme.model import Programme
from server.programme.oversight import ReportCadence
from server.programme.vocabulary import Actor as Role
from server.rules.complaints import Finding
from server.rules.deadlines import end_of, start_of
from server.rules.settlements import SettlementStatus
from server.rules.supervision import InspectionStatus, unsigned
from server.services import access, outbox
from server.services.access import Actor, NotFound, StaffRole
from server.services.files.files import keep_files
from server.services.supervision.supervision_book import (
    SUPERVISORS,
    SupervisionBook,
    files_of,
    note,
    require_words,
    roles_in_words,
)
from server.units import BASIS_POINTS, percent, yuan

PAGE = 20
PAID = (SettlementStatus.PAID, SettlementStatus.CLOSED)
HANDED_IN = tuple(
    one for one in SettlementStatus if one not in (SettlementStatus.DRAFT, SettlementStatus.WITHDRAWN)
)


class EvaluationPeriod(Refusal):
    """A period that ends before it begins, or has not ended yet."""

    status, code = 422, "evaluation_period"


class EvaluationSigned(Refusal):
    """The role has signed it, or the same person has for another."""

    status, code = 409, "evaluation_signed"


class EvaluationNotYours(Refusal):
    """It is signed by others."""

    status, code = 403, "evaluation_not_yours"


class Evaluations:
    """The verbs on evaluations."""

    def __init__(self, book: SupervisionBook) -> None:
        self.book = book

    async def make(
        self,
        slug: str,
        *,
        starts_on: date,
        ends_on: date,
        words: str,
        file_ids: Sequence[int],
        actor: Actor,
    ) -> PolicyEvaluation:
        """Write an evaluation of a period that is over, on the indicators of this instant.

        Raises ``NotFound``, ``NotAllowed``, :class:`EvaluationPeriod`, ``WordsMissing``, ``FilesUnknown``.
        """
        signers, clause = signers_of(self.book.programmes.get(slug))
        programme = self.book.programme(slug, actor, signers | {StaffRole.DIVISION})
        now = self.book.now(slug)
        if ends_on < starts_on or end_of(ends_on) > now:
            raise EvaluationPeriod(clause=clause)
        files = await files_of(file_ids, actor=actor)
        indicators = await indicators_of(programme, start_of(starts_on), end_of(ends_on))
        async with in_transaction():
            made = await PolicyEvaluation.create(
                programme_slug=slug,
                programme_version=programme.version,
                clause=clause,
                starts_on=starts_on,
                ends_on=ends_on,
                indicators=indicators,
                words=require_words(words),
                files=[one.id for one in files],
                signed_by=sorted(signers),
                made_by=actor.id,
                made_at=now,
            )
            await keep_files(files, f"evaluation:{made.id}", "evaluation", programme=programme, now=now)
            await note("evaluation.made", f"evaluation:{made.id}", actor=actor, now=now, programme_slug=slug)
            for role in sorted(signers):
                await outbox.tell(
                    outbox.team(role, slug),
                    "evaluation.to_sign",
                    at=now,
                    programme=slug,
                    evaluation=made.id,
                    starts=starts_on.isoformat(),
                    ends=ends_on.isoformat(),
                )
        return made

    async def sign(self, evaluation_id: int, *, actor: Actor) -> PolicyEvaluation:
        """Sign for one of the departments; when all have, it is done.

        Raises ``NotFound``, :class:`EvaluationNotYours`, :class:`EvaluationSigned`.
        """
        made = await evaluation_for(actor, evaluation_id)
        mine = sorted(actor.roles & set(made.signed_by))
        if not mine:
            raise EvaluationNotYours(clause=made.clause, names=roles_in_words(made.signed_by))
        now = self.book.now(made.programme_slug)
        signed = await signed_roles(made)
        role = next((one for one in mine if one not in signed), mine[0])
        try:
            async with in_transaction():
                await EvaluationSignature.create(
                    evaluation_id=made.id, role=role, staff_id=actor.id, signed_at=now
                )
                if not unsigned(made.signed_by, [*signed, role]):
                    await PolicyEvaluation.filter(id=made.id, signed_at=None).update(signed_at=now)
                await note(
                    "evaluation.signed",
                    f"evaluation:{made.id}",
                    actor=actor,
                    now=now,
                    programme_slug=made.programme_slug,
                    role=role,
                )
        except IntegrityError:
            raise EvaluationSigned(clause=made.clause) from None
        return await PolicyEvaluation.get(id=made.id)


def signers_of(programme: Programme) -> tuple[frozenset[str], str]:
    """Who signs an evaluation, and by which clause: whom the text has evaluate, else both departments."""
    both = frozenset({StaffRole.AUTHORITY, StaffRole.TREASURY})
    report = next(
        (
            one
            for one in programme.reports
            if one.by is Role.AUTHORITY
            and Role.TREASURY in one.to
            and one.cadence in (ReportCadence.PERIODIC, ReportCadence.YEARLY)
        ),
        None,
    )
    return both, "" if report is None else report.article


async def evaluation_for(actor: Actor, evaluation_id: int) -> PolicyEvaluation:
    """An evaluation of a programme the actor works on. Raises ``NotFound``."""
    made = await PolicyEvaluation.get_or_none(id=evaluation_id)
    if made is None or actor.roles.isdisjoint(SUPERVISORS | {StaffRole.AUDITOR}):
        raise NotFound()
    access.require_programme(actor, made.programme_slug)
    return made


async def indicators_of(programme: Programme, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """How the money was managed and what it did between two instants, each with how it was worked out."""
    slug = programme.slug
    span = {"programme_slug": slug}
    handed_in = Settlement.filter(**span, status__in=list(HANDED_IN), line_at__gte=since, line_at__lt=until)
    paid = Settlement.filter(**span, status__in=list(PAID), paid_at__gte=since, paid_at__lt=until)
    sums = await paid.annotate(fen=Sum("amount_fen"), less=Sum("reduced_fen"), many=Count("id")).values(
        "fen", "less", "many"
    )
    row = sums[0] if sums else {}
    paid_fen, reduced_fen, paid_count = (int(row.get(key) or 0) for key in ("fen", "less", "many"))
    asked = await handed_in.count()
    enterprises = len(set(await paid.values_list("enterprise_id", flat=True)))
    providers = len(set(await paid.values_list("provider_id", flat=True)))
    rated = Rating.filter(**span, rated_at__gte=since, rated_at__lt=until)
    scores = [one.score_bp for one in await rated.only("id", "score_bp")]
    true = await Complaint.filter(
        **span, sealed=False, finding=Finding.SUBSTANTIATED, found_at__gte=since, found_at__lt=until
    ).count()
    anomalies = await AnomalyFinding.filter(**span, found_at__gte=since, found_at__lt=until).count()
    inspections = await Inspection.filter(
        **span, status=InspectionStatus.CLOSED, closed_at__gte=since, closed_at__lt=until
    ).count()
    by_category = await paid.annotate(fen=Sum("amount_fen")).group_by("category").values("category", "fen")
    known = _known(paid_fen, reduced_fen, paid_count, asked, enterprises, providers, scores)
    counts = {"complaints": true, "anomalies": anomalies, "inspections": inspections}
    shares = [
        _line(
            "category",
            percent(int(one["fen"]) * BASIS_POINTS // paid_fen),
            f"{yuan(int(one['fen']))} ÷ {yuan(paid_fen)}",
            name=_name(programme, str(one["category"])),
        )
        for one in sorted(by_category, key=lambda one: str(one["category"]))
        if paid_fen
    ]
    return [*known, *(_line(code, str(many), "") for code, many in counts.items()), *shares]


def _known(
    paid_fen: int,
    reduced_fen: int,
    paid_count: int,
    asked: int,
    enterprises: int,
    providers: int,
    scores: Sequence[int],
) -> Iterator[dict[str, Any]]:
    yield _line("paid", yuan(paid_fen), "")
    yield _line("reduced", yuan(reduced_fen), "")
    rate = percent(paid_count * BASIS_POINTS // asked) if asked else "—"
    yield _line("settled", rate, f"{paid_count} ÷ {asked}")
    yield _line("enterprises", str(enterprises), "")
    yield _line("providers", str(providers), "")
    mean = percent(sum(scores) // len(scores)) if scores else "—"
    yield _line("satisfaction", mean, f"{len(scores)}")


def _line(code: str, value: str, arithmetic: str, name: str = "") -> dict[str, Any]:
    return {
        "code": code,
        "name": name or texts.EVALUATION_INDICATORS[code],
        "value": value,
        "arithmetic": arithmetic,
    }


def _name(programme: Programme, code: str) -> str:
    category = programme.category(code)
    return code if category is None else category.name


async def signed_roles(made: PolicyEvaluation) -> list[str]:
    """Which roles have signed an evaluation, in their order."""
    roles = EvaluationSignature.filter(evaluation_id=made.id).order_by("id")
    return [str(one) for one in await roles.values_list("role", flat=True)]


async def listed(
    actor: Actor, *, programme: str = "", before: int | None = None
) -> list[tuple[PolicyEvaluation, list[str]]]:
    """Evaluations of the actor's programmes with who signed, newest first, one page and one more."""
    rows = PolicyEvaluation.filter(access.within_programmes(actor, "programme_slug"))
    if programme:
        rows = rows.filter(programme_slug=programme)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [(one, await signed_roles(one)) for one in await rows.order_by("-id").limit(PAGE + 1)]
