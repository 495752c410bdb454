"""Policy trials: a changed programme file over the orders that really came."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.models.journal import JournalEntry
from server.rules.trials import Bound
from server.services.access import Actor, NotFound
from server.services.programmes.policy_trials import (
    NothingToTry,
    OtherProgrammesFile,
    PolicyTrials,
    ProgrammeFaulty,
    TooMuchToTry,
    told,
)
from server.texts import sentence
from server.units import yuan_to_fen as yuan
from tests.contracting import GRABBED, OPERATOR, Desk

TEXT = Path(f"config/programmes/{GRABBED}.toml").read_text(encoding="utf-8")
YEAR = 2026


async def test_last_years_orders_are_gone_through_under_the_changed_file(desk: Desk) -> None:
    trials = PolicyTrials(desk.programmes, desk.clocks, desk.notices, desk.sizes)
    for year in (YEAR, 0, 10_000):
        with pytest.raises(NothingToTry):
            await trials.compare(GRABBED, TEXT, year=year, actor=OPERATOR)
    budget, provider = await desk.budget(GRABBED, 1_000_000), await desk.provider(GRABBED)
    one, other = await desk.enterprise(GRABBED), await desk.enterprise(GRABBED)
    for enterprise, price in ((one, 10_000), (other, 40_000)):
        voucher = await desk.voucher(budget, enterprise, 10_000)
        await desk.opened(GRABBED, enterprise, provider, price, voucher_id=voucher.id)

    same = await trials.compare(GRABBED, TEXT, year=YEAR, actor=OPERATOR)
    assert same.really_fen == same.before.paid_fen == same.after.paid_fen == yuan(17_000)
    assert same.by_enterprise == ()

    halved = TEXT.replace("rate_percent = 70", "rate_percent = 50")
    found = await trials.compare(GRABBED, halved, year=YEAR, total_fen=yuan(14_000), actor=OPERATOR)
    # Half of 10,000; of 40,000 a half is 20,000, the quota 10,000, and a category may take 30 % of 14,000.
    assert [(two.amount_fen, two.bound) for two in found.after.results] == [
        (yuan(4_200), Bound.CATEGORY),
        (0, Bound.CATEGORY),
    ]
    assert [(two.key, two.difference_fen) for two in found.by_enterprise] == [
        (other.id, -yuan(10_000)),
        (one.id, -yuan(2_800)),
    ]
    lines = "\n".join(told(found))
    assert f"{one.name}：7,000.00 元 → 4,200.00 元" in lines and "触及占比上限" in lines
    # Where the provider holds the voucher, it is the provider who gets it.
    assert f"金额变化的服务机构 1 家：\n{provider.name}：17,000.00 元 → 4,200.00 元" in lines
    assert await JournalEntry.filter(action="programme.tried").count() == 2


async def test_what_cannot_be_tried_is_said_in_one_sentence(desk: Desk) -> None:
    trials = PolicyTrials(desk.programmes, desk.clocks, desk.notices, desk.sizes)
    with pytest.raises(ProgrammeFaulty) as faulty:
        await trials.compare(GRABBED, TEXT.replace("rate_percent", "rate_prozent"), year=YEAR, actor=OPERATOR)
    assert "rate_prozent" in sentence(faulty.value)
    rate = TEXT.replace("rate_percent = 70", "rate_percent = {}")
    unreadable = ("slug = " + "[" * 5_000, "slug = " + "9" * 5_000)
    endless = TEXT.replace("\nmonths = 12", "\nmonths = 2147483647")
    assert endless != TEXT
    for changed in (*unreadable, endless, rate.replace("{}", "1e999999999"), rate.replace("{}", "1e999990")):
        with pytest.raises(ProgrammeFaulty):
            await trials.compare(GRABBED, changed, year=YEAR, actor=OPERATOR)
    with pytest.raises(OtherProgrammesFile):
        other = TEXT.replace(f'slug = "{GRABBED}"', 'slug = "elsewhere-2024"')
        await trials.compare(GRABBED, other, year=YEAR, actor=OPERATOR)
    stranger = Actor("staff", 9, "", None, frozenset({"operator"}), programmes=frozenset({"elsewhere-2024"}))
    with pytest.raises(NotFound):
        await trials.compare(GRABBED, TEXT, year=YEAR, actor=stranger)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(await desk.budget(GRABBED), enterprise, 10_000)
    await desk.opened(GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id)
    with pytest.raises(TooMuchToTry):
        await trials.compare(GRABBED, TEXT, year=YEAR, actor=OPERATOR, most=0)
