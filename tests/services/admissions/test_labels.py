"""Labels: what lists and papers say, when it counts, and what happens when it ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from server.models.journal import JournalEntry
from server.models.labels import AttestedLabel, LabelSource
from server.models.organisations import Organisation
from server.models.outbox import OutboxMessage
from server.models.rounds import Entitlement
from server.programme.vocabulary import Actor as ProgrammeActor
from server.programme.vocabulary import LegalForm
from server.rules.eligibility import provider_unmet
from server.rules.issuance import has_priority
from server.rules.quota import tier_of
from server.services.admissions import attestations
from server.services.admissions.applicants import day, facts_of, provider_facts_of
from server.services.admissions.attestations import LabelNotListed, Statement
from server.services.admissions.labels import Labels, NotOnList
from server.units import yuan_to_fen
from tests.factories import OPERATOR, Office, make_budget, make_enterprise, make_qualified
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme, size_standard

NEWLY_ABOVE, SEEDLING, PROVINCIAL = "newly_above_scale", "seedling_library", "provincial_platform"


class Settled:
    """Stands in for the qualifications: nobody here has one to lose."""

    def __init__(self, office: Office) -> None:
        self.rounds = office.rounds

    async def labels_changed(self, organisation: Organisation, **_: Any) -> list[Any]:
        return await self.rounds.standing_changed(organisation, LISHUI)


def labels_of(office: Office) -> Labels:
    return Labels(office.programmes, office.clocks, Settled(office))  # type: ignore[arg-type]


async def write(office: Office, *statements: Statement, slug: str = LISHUI, name: str = "名单") -> None:
    await attestations.write(
        statements, LabelSource.LIST, programme_slug=slug, list_name=name, actor=OPERATOR, now=office.now
    )


async def attest(office: Office, holder: Organisation, code: str, **others: Any) -> AttestedLabel:
    return await labels_of(office).attest(
        LISHUI,
        Statement(uscc=holder.uscc, code=code, **others),
        list_name="名单",
        document_number="丽经信〔2025〕1号",
        actor=OPERATOR,
    )


@pytest.mark.rules("LS-28")
async def test_a_line_of_a_list_raises_the_tier_and_its_withdrawal_lowers_it(office: Office) -> None:
    city = office.programmes.get(LISHUI)
    holder = await make_qualified(city)
    await office.make_round(await make_budget(city))
    seen = [(await Entitlement.get()).amount_fen]
    row = await attest(office, holder, NEWLY_ABOVE)
    seen.append((await Entitlement.get()).amount_fen)
    await labels_of(office).withdraw(row.id, reason="录入有误", actor=OPERATOR)
    seen.append((await Entitlement.get()).amount_fen)
    assert seen == [yuan_to_fen(amount) for amount in (10_000, 20_000, 10_000)]
    told = await OutboxMessage.filter(topic="organisation.labels_changed").order_by("id")
    assert [one.data for one in told] == [
        {"gained": [NEWLY_ABOVE], "lost": []},
        {"gained": [], "lost": [NEWLY_ABOVE]},
    ]
    deeds = (
        await JournalEntry.filter(subject=f"label:{row.id}").order_by("id").values_list("action", flat=True)
    )
    assert list(deeds) == ["label.attested", "label.withdrawn"]


async def test_a_label_runs_out_with_its_last_day_and_is_settled_once(office: Office) -> None:
    city = office.programmes.get(LISHUI)
    holder = await make_qualified(city)
    await office.make_round(await make_budget(city))
    await attest(office, holder, NEWLY_ABOVE, valid_until=day(office.now))
    labels = labels_of(office)
    on_the_last_day = await labels.settle_expired_labels(office.clock.now())
    held = (await Organisation.get(id=holder.id)).labels
    office.clock.advance(timedelta(days=1))
    the_day_after = [await labels.settle_expired_labels(office.clock.now()) for _ in range(2)]
    assert (on_the_last_day, held) == (0, [NEWLY_ABOVE])
    assert the_day_after == [1, 0]
    assert (await Organisation.get(id=holder.id)).labels == []
    assert (await Entitlement.get()).amount_fen == yuan_to_fen(10_000)
    assert await JournalEntry.filter(action="label.lapsed", actor="clock").count() == 1


async def test_a_label_on_two_lists_is_held_until_both_have_ended(office: Office) -> None:
    holder = await make_enterprise()
    earlier, later = (
        Statement(uscc=holder.uscc, code=NEWLY_ABOVE, valid_until=day(office.now) + timedelta(days=days))
        for days in (0, 5)
    )
    await write(office, earlier, name="2024年名单")
    await write(office, later, name="2025年名单")
    await attestations.refresh(holder, office.programmes, office.clocks)
    held = []
    for days in (1, 5):
        office.clock.advance(timedelta(days=days))
        await labels_of(office).settle_expired_labels(office.clock.now())
        held.append((await Organisation.get(id=holder.id)).labels)
    assert held == [[NEWLY_ABOVE], []]


async def test_one_list_names_an_organisation_once(office: Office) -> None:
    by_code = Statement(uscc="91110000600037341L", code=NEWLY_ABOVE)
    by_name = Statement(uscc=None, name="某中心", code=PROVINCIAL)
    for statement in (by_code, by_name):
        await write(office, statement)
        await write(office, statement, name="另一份名单")
        with pytest.raises(IntegrityError):
            await write(office, statement)


async def test_a_paper_outweighs_no_list(office: Office) -> None:
    city = office.programmes.get(LISHUI)
    listed, forger = await make_enterprise(), await make_enterprise(labels_claimed=[NEWLY_ABOVE, SEEDLING])
    await write(office, Statement(uscc=listed.uscc, code=NEWLY_ABOVE), name="2025年度新升规名单")
    confirm = attestations.confirm_on_paper
    with pytest.raises(LabelNotListed) as refused:
        await confirm(forger, city, [NEWLY_ABOVE], actor=OPERATOR, now=office.now)
    assert refused.value.values == {"names": "上年度新升规企业", "lists": "2025年度新升规名单"}
    assert refused.value.clause == "二（三）1"
    await confirm(listed, city, [NEWLY_ABOVE], actor=OPERATOR, now=office.now)
    await confirm(forger, city, [SEEDLING], actor=OPERATOR, now=office.now)
    sources = {(row.uscc, row.code): row.source for row in await AttestedLabel.all()}
    assert sources == {
        (listed.uscc, NEWLY_ABOVE): LabelSource.LIST,
        (forger.uscc, SEEDLING): LabelSource.PAPER,
    }


async def test_what_the_operator_itself_attests_rests_on_papers_alone(office: Office) -> None:
    city = office.programmes.get(LISHUI)
    one, other = await make_enterprise(), await make_enterprise()
    await write(office, Statement(uscc=one.uscc, code="digital_economy_firm"))
    await attestations.confirm_on_paper(other, city, ["digital_economy_firm"], actor=OPERATOR, now=office.now)
    assert (await AttestedLabel.get(uscc=other.uscc)).source is LabelSource.PAPER


async def test_a_reviewer_takes_back_papers_but_no_line_of_a_list(office: Office) -> None:
    city = office.programmes.get(LISHUI)
    holder = await make_enterprise()
    await write(office, Statement(uscc=holder.uscc, code="per_mu_rated_d"))
    for codes in ([SEEDLING], []):
        await attestations.confirm_on_paper(holder, city, codes, actor=OPERATOR, now=office.now)
    standing = await AttestedLabel.filter(withdrawn_at__isnull=True).values_list("code", flat=True)
    assert list(standing) == ["per_mu_rated_d"]
    assert (await AttestedLabel.get(code=SEEDLING)).withdraw_reason == "审核时未获核实"


async def test_a_claim_is_a_hope_where_nothing_is_attested_and_never_more(office: Office) -> None:
    city = office.programmes.get(LISHUI)
    holder = await make_enterprise(labels_claimed=[NEWLY_ABOVE, SEEDLING])
    await write(office, Statement(uscc=holder.uscc, code=SEEDLING, valid_until=date(2026, 1, 1)))
    hoping = await facts_of(holder, city, holder.labels_claimed, now=office.now)
    strict = await facts_of(holder, city, now=office.now)
    assert {(one.code, one.valid_until) for one in hoping.labels} == {
        (SEEDLING, date(2026, 1, 1)),
        (NEWLY_ABOVE, None),
    }
    assert [one.code for one in strict.labels] == [SEEDLING]


@pytest.mark.parametrize(
    ("slug", "code", "tier_yuan", "first"),
    [
        pytest.param(
            GUANGXI, "digital_maturity_3", 100_000, False, marks=pytest.mark.rules("GX-25", "GX-27")
        ),
        pytest.param(GUANGXI, "regional_srdi", 200_000, False, marks=pytest.mark.rules("GX-25", "GX-28")),
        pytest.param(
            GUANGXI, "national_little_giant", 300_000, False, marks=pytest.mark.rules("GX-25", "GX-29")
        ),
        pytest.param(NINGXIA, "regional_credit_a", None, True, marks=pytest.mark.rules("NX-32")),
        pytest.param(GUANGZHOU, "sme_monitoring", None, True, marks=pytest.mark.rules("GZ-12")),
    ],
)
async def test_a_list_alone_gives_the_tier_or_the_priority_that_the_text_ties_to_it(
    office: Office, slug: str, code: str, tier_yuan: int | None, first: bool
) -> None:
    regulation = office.programmes.get(slug)
    holder = await make_enterprise(labels_claimed=[label.code for label in regulation.labels])
    seen = []
    for listed in ([], [Statement(uscc=holder.uscc, code=code)]):
        await write(office, *listed, slug=slug)
        await attestations.refresh(holder, office.programmes, office.clocks)
        held = frozenset(holder.labels)
        tier = tier_of(regulation, held)
        seen.append((tier and tier.face_value_fen, has_priority(regulation, held)))
    ordinary = regulation.issuance.tiers[-1].face_value_fen if tier_yuan else seen[0][0]
    assert seen[0] == (ordinary, False)
    assert seen[1] == (yuan_to_fen(tier_yuan) if tier_yuan else seen[0][0], first)


# -- institutions ----------------------------------------------------------------------------------


def recognition(name: str, **others: Any) -> Statement:
    given: dict[str, Any] = {
        "uscc": None,
        "name": name,
        "code": PROVINCIAL,
        "recognised_in": 2017,
        "valid_until": date(2020, 6, 22),
        **others,
    }
    return Statement(**given)


async def an_institution(office: Office, name: str) -> Organisation:
    return await make_enterprise(
        name=name, area="广东省/深圳市", legal_form=LegalForm.LEGAL_PERSON, at=office.now
    )


@pytest.mark.rules("GZ-06", "GZ-07")
@pytest.mark.parametrize(
    ("recognised_in", "on", "lacks"),
    [
        (2017, datetime(2020, 12, 31, 4, tzinfo=UTC), set()),
        (2017, datetime(2021, 1, 1, 4, tzinfo=UTC), {"recognised"}),
        (2018, datetime(2020, 6, 22, 4, tzinfo=UTC), set()),
        (2018, datetime(2020, 6, 23, 4, tzinfo=UTC), {"recognised"}),
    ],
)
async def test_the_list_says_until_when_an_institution_may_receive(
    office: Office, recognised_in: int, on: datetime, lacks: set[str]
) -> None:
    office.clock.at = on
    regulation = office.programmes.get(GUANGZHOU)
    institution = await an_institution(office, "深圳(某某)服务中心")
    await write(office, recognition("深圳（某某）服务中心", recognised_in=recognised_in), slug=GUANGZHOU)
    facts = await provider_facts_of(institution, regulation, {}, now=on)
    found = provider_unmet(regulation, facts, day(on), size_standard())
    assert {one.code for one in found} == lacks
    await attestations.refresh(institution, office.programmes, office.clocks)
    assert institution.labels == ([] if lacks else [PROVINCIAL])


@pytest.mark.rules("GZ-07")
async def test_an_extended_cohort_lapses_when_the_extension_ends(office: Office) -> None:
    institution = await an_institution(office, "深圳某某服务中心")
    await write(office, recognition(institution.name), slug=GUANGZHOU)
    labels = labels_of(office)
    lapsed = []
    for on in (date(2020, 6, 23), date(2020, 12, 31), date(2021, 1, 1)):
        office.clock.at = datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
        await attestations.refresh(institution, office.programmes, office.clocks)
        lapsed.append(await labels.settle_expired_labels(office.clock.now()))
    assert lapsed == [0, 0, 1]
    assert (await Organisation.get(id=institution.id)).labels == []


@pytest.mark.rules("GZ-81")
async def test_only_who_is_on_the_list_goes_on_and_registers(office: Office) -> None:
    office.clock.at = datetime(2020, 6, 1, 4, tzinfo=UTC)
    regulation, labels = office.programmes.get(GUANGZHOU), labels_of(office)
    await write(office, recognition("甲服务中心"), slug=GUANGZHOU)
    await write(office, recognition("乙服务中心", uscc="91110000600037341L"), slug=GUANGZHOU)
    for name, uscc in (("甲服务中心", None), (" 甲服务中心 ", "x"), ("乙服务中心", "91110000600037341L")):
        assert [one.code for one in await labels.require_listed(regulation, name, uscc=uscc)] == [PROVINCIAL]
    for name, uscc in (("甲服务", None), ("丙服务中心", None), ("乙服务中心", "somebody else")):
        with pytest.raises(NotOnList) as refused:
            await labels.require_listed(regulation, name, uscc=uscc)
        assert refused.value.clause == "机构手册（一）4"
    assert await labels.require_listed(office.programmes.get(LISHUI), "丙服务中心") == []


@pytest.mark.rules("YC-29")
async def test_who_runs_the_programme_is_known_by_its_name_or_its_code(office: Office) -> None:
    name = programme(GUANGXI).role(ProgrammeActor.OPERATOR).name
    operator, other = await make_enterprise(name=name), await make_enterprise()

    async def is_operator(slug: str, who: Organisation, codes: tuple[str, ...] = ()) -> bool:
        known = office.programmes.get(slug)
        facts = await provider_facts_of(who, known, {}, now=office.now, operator_codes=codes)
        lacks = {one.code for one in provider_unmet(known, facts, day(office.now), size_standard())}
        assert ("operator_itself" in lacks) is facts.is_operator
        return facts.is_operator

    assert (await is_operator(GUANGXI, operator), await is_operator(GUANGXI, other)) == (True, False)
    assert not await is_operator(YINCHUAN, other)
    assert await is_operator(YINCHUAN, other, (other.uscc,))
