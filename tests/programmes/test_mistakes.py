"""Every kind of mistake gives one error that names file, line, key, what was found and what was expected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.programme.faults import ProgrammeError
from server.programme.loader import load_programme
from server.services.programmes import programme_faults
from tests.programmes.conftest import INVENTED, REAL

LISHUI = REAL / "lishui-2024.toml"
GUANGXI = REAL / "guangxi-2024.toml"
GUANGZHOU = REAL / "guangzhou-2020.toml"
NINGXIA = REAL / "ningxia-2016.toml"
YINCHUAN = REAL / "yinchuan-2024.toml"
NORTHPORT = INVENTED / "northport-2031.toml"

# source, what is replaced, by what, the key, found, expected
MISTAKES = [
    # keys
    (LISHUI, "rate_percent = 70", "rate_percnt = 70", "deduction[0].rate_percnt", "unknown key",
     "`rate_percent`"),
    (LISHUI, "rate_percent = 70", "rate = 0.7", "deduction[0].rate", "unknown key", "`rate_percent`"),
    (LISHUI, "rate_percent = 70", "rate_bp = 7000", "deduction[0].rate_bp", "unknown key",
     "`rate_percent`"),
    (LISHUI, "face_value_yuan = 20000", "face_value_fen = 2000000", "issuance.tier[0].face_value_fen",
     "unknown key", "`face_value_yuan`, in yuan"),
    (LISHUI, "face_value_yuan = 20000", "", "issuance.tier[0].face_value_yuan", "nothing",
     "What one voucher"),
    (LISHUI, "[own_share]", "[ownshare]", "ownshare", "unknown key", "`own_share`"),
    # types and units
    (LISHUI, "face_value_yuan = 20000", 'face_value_yuan = "20000"', "issuance.tier[0].face_value_yuan",
     '"20000"', "a number of yuan"),
    (LISHUI, "face_value_yuan = 20000", "face_value_yuan = true", "issuance.tier[0].face_value_yuan",
     "true", "a number of yuan"),
    (LISHUI, "face_value_yuan = 20000", "face_value_yuan = 0.005", "issuance.tier[0].face_value_yuan",
     "0.005", "a whole number of fen"),
    (LISHUI, "face_value_yuan = 20000", "face_value_yuan = -1", "issuance.tier[0].face_value_yuan", "-1",
     "zero or more"),
    (LISHUI, "face_value_yuan = 20000", "face_value_yuan = nan", "issuance.tier[0].face_value_yuan", "NaN",
     "a whole number of fen"),
    (LISHUI, "rate_percent = 70", "rate_percent = 70.001", "deduction[0].rate_percent", "70.001",
     "hundredths of a percent"),
    (LISHUI, "rate_percent = 70", "rate_percent = 101", "deduction[0].rate_percent", "101",
     "0 to 100 percent"),
    (LISHUI, "rate_percent = 70", "rate_percent = 0.7", "deduction[0].rate_percent", "0.7%", "1 to 100"),
    (LISHUI, "months = 12", "months = 12.0", "enterprise.condition[6].months", "12.0", "a whole number"),
    (LISHUI, "months = 12", "months = -12", "enterprise.condition[6].months", "-12", "zero or more"),
    (LISHUI, "months = 12", "months = true", "enterprise.condition[6].months", "true", "a whole number"),
    (LISHUI, "rounds = true", 'rounds = "yes"', "issuance.rounds", '"yes"', "true or false"),
    (LISHUI, "valid_until = 2026-12-31", 'valid_until = "2026-12-31"', "validity.valid_until",
     '"2026-12-31"', "a date"),
    (LISHUI, "valid_until = 2026-12-31", "valid_until = 2026-12-31T00:00:00", "validity.valid_until",
     "2026-12-31", "a date"),
    (LISHUI, 'mode = "grab"', 'mode = "lottery"', "issuance.mode", '"lottery"',
     "one of grab, ranked_batch"),
    (LISHUI, 'portal = "丽水市中小企业公共服务平台（丽企之家）"', 'portal = " "', "identity.portal",
     "an empty text", "a text"),
    (LISHUI, 'ranking = ["arrival"]', 'ranking = "arrival"', "issuance.ranking", '"arrival"', "an array"),
    (LISHUI, "[own_share]\npaid_to = \"provider\"\n", "[[own_share]]\n", "own_share", "an array", "a table"),
    (LISHUI, 'burns_quota = ["used",', 'burns_quota = ["used", "used",', "issuance.burns_quota[1]", "again",
     "once"),
    (LISHUI, 'code = "default_grant"', 'code = "seedling_library"', "issuance.tier[2]",
     '"seedling_library" again', "only once"),
    # clauses
    (LISHUI, 'article = "六"\n', "", "validity", "neither `article` nor `assumed`", "the clause"),
    (LISHUI, 'assumed_keys = ["natural_days"]', 'assumed_keys = ["natural_day"]',
     "enterprise.change_report.assumed_keys", '"natural_day"', "`natural_days`"),
    # validity, roles, budget
    (LISHUI, "valid_until = 2026-12-31", "valid_until = 2024-08-08", "validity.valid_until", "2024-08-08",
     "2024-08-09 or later"),
    (LISHUI, "today = 2026-05-18", "today = 2027-01-01", "demo.today", "2027-01-01", "inside the validity"),
    (LISHUI, 'actor = "operator"\nname', 'actor = "inspector"\nname', "role", 'no "operator"',
     "a role for operator"),
    (LISHUI, 'kind = "ceiling"', 'kind = "floor"', "budget.kind", '"floor"', "`least_total_yuan`"),
    (GUANGZHOU, "service_until = 2020-11-30\n", "", "validity", "half a service window", "both"),
    (NORTHPORT, 'year_starts = "04-01"', 'year_starts = "13-01"', "validity.year_starts", '"13-01"',
     "month and day"),
    # people
    (LISHUI, 'labels = ["per_mu_rated_d"]', 'labels = ["rated_d"]', "enterprise.condition[5].labels[0]",
     '"rated_d"', "a label of the enterprise"),
    (LISHUI, 'labels = ["per_mu_rated_d"]', "months = 3", "enterprise.condition[5]", "without `labels`",
     "`labels`"),
    (LISHUI, 'kind = "no_past_violation"', 'kind = "no_past_violation"\nmonths = 3',
     "enterprise.condition[7].months", "`months` beside", "only the keys"),
    (LISHUI, 'fact = "full_time_staff"', 'fact = "staff"', "provider.condition[7].fact", '"staff"',
     "a field"),
    (LISHUI, "minimum = 50", "minimum_yuan = 50", "provider.condition[4]", "another unit",
     "`minimum_yuan` for money"),
    # shares
    (LISHUI, "min_share_percent = 40", "min_share_percent = 95", "category_floor[0].min_share_percent",
     "95%", "at most 90%"),
    (LISHUI, "others_max_share_percent = 60", "others_max_share_percent = 60.01",
     "category_floor[0].others_max_share_percent", "60.01%", "at most 60%"),
    (LISHUI, '"intellectual_property_services", "smart', '"ip_services", "smart',
     "category_floor[0].categories[1]", '"ip_services"', "a category"),
    # offerings
    (GUANGZHOU, 'name_field = "name"', 'name_field = "nmae"', "offering.name_field", '"nmae"', "text"),
    (GUANGZHOU, 'price_field = "price"', 'price_field = "flow"', "offering.price_field", '"flow"', "money"),
    (GUANGZHOU, "area_levels = 2", "area_levels = 0", "offering.area_levels", "0", "1 or more"),
    (GUANGZHOU, 'name = "服务周期", kind = "text"', 'name = "服务周期", kind = "phone"',
     "offering.field[5].kind", '"phone"', "public"),
    (YINCHUAN, 'choices = ["技术创新", ', 'choices = ["技术", ', "offering.category_field", "other choices",
     "names of the categories"),
    (GUANGXI, "selections_per_year_max = 2", "selections_per_year_max = 0",
     "offering.selections_per_year_max", "0", "at least 1"),
    (LISHUI, 'code = "human_resources_services"', 'code = "human_resources_services"\nby_notice = true',
     "category[0].by_notice", "true", "a yearly notice"),
    # issuance
    (LISHUI, 'holder = "enterprise"', 'holder = "provider"', "issuance.mode",
     '"grab" with holder "provider"', '"provider_draw"'),
    (LISHUI, "rounds = true\n", "", "issuance.rounds", "false", "true"),
    (LISHUI, 'ranking = ["arrival"]', 'ranking = ["priority", "arrival"]', "issuance.ranking",
     "another order", "arrival"),
    (LISHUI, "quota_by_tier = true", "annual_quota_yuan = 19999.99", "issuance.annual_quota_yuan",
     "19,999.99", "at least 20,000.00"),
    (LISHUI, "quota_by_tier = true", "quota_by_tier = true\nannual_quota_yuan = 1",
     "issuance.quota_by_tier", "true", "no `annual_quota_yuan`"),
    (LISHUI, 'any_of = ["newly_above_scale"]', "", "issuance.tier[0]", "for everybody", "last"),
    (LISHUI, 'any_of = ["seedling_library"]', 'any_of = ["seedlings"]', "issuance.tier[1].any_of[0]",
     '"seedlings"', "a label"),
    (LISHUI, 'burns_quota = ["used", "expired"', 'burns_quota = ["expired"', "issuance.burns_quota",
     'no "used"', "used"),
    (GUANGZHOU, "hand_back = true\nburns_quota = [", 'burns_quota = ["handed_back", ',
     "issuance.burns_quota", '"handed_back"', "`hand_back = true`"),
    (GUANGZHOU, "waiting_list = true\n", "", "issuance.waiting_list", "false", "as in `reissue`"),
    (GUANGZHOU, "result_working_days = 1\n", "", "issuance.result_working_days", "none", "ranked_batch"),
    (NINGXIA, "contract_first = true\n", "", "issuance.contract_first", "false", "on_contract"),
    # money
    (GUANGXI, 'categories = ["diagnosis_services"]\n', "", "deduction[1]", "has its rule already",
     "one rule"),
    (GUANGXI, 'code = "other"\nvoucher_kind', 'code = "other"\ncategories = ["funding"]\nvoucher_kind',
     "deduction[1].categories[0]", '"funding"', "a category"),
    (GUANGXI, "deposit_percent = 20", "deposit_percent = 20.01", "own_share.deposit_percent", "20.01%",
     "at most 20%"),
    (GUANGZHOU, "amount_yuan = 500000", "amount_yuan = 500000\nshare_percent = 10", "provider_ceiling[0]",
     "both", "`amount_yuan` or `share_percent`"),
    (NINGXIA, "rate_max_percent = 6", "rate_max_percent = 2", "supervision_fee.rate_max_percent", "2%",
     "at least 3%"),
    # the order of events
    (LISHUI, 'scale = ["非常满意", "满意", "不满意"]', 'scale = ["满意"]', "rating.scale", "满意", "two"),
    (LISHUI, 'effect = "reserve"\n', "", "order_step[6].effect", '"consume"',
     "an earlier step that reserves"),
    (LISHUI, 'effect = "consume"\n', "", "order_step", "no step that has the effect consume", "one"),
    (LISHUI, 'kind = "confirm"', 'kind = "place"', "order_step[1].kind", '"place" again', "once"),
    (LISHUI, 'deadline = { rule = "same_year" }', 'deadline = { natural_days = 3, from_step = "deliver" }',
     "order_step[2].deadline.from_step", '"deliver"', "an earlier step"),
    (LISHUI, 'deadline = { rule = "same_year" }', 'deadline = { natural_days = 3 }',
     "order_step[2].deadline", "a mixture", "counted from one event"),
    (LISHUI, 'deadline = { rule = "same_year" }', 'deadline = { rule = "service_window" }',
     "order_step[2].deadline.rule", '"service_window"', "a service window"),
    (GUANGXI, 'deadline = { rule = "voucher_validity" }',
     'deadline = { natural_days = 30, from_event = "round_closed" }', "order_step[0].deadline.from_event",
     '"round_closed"', "an event that this programme has"),
    (GUANGXI, 'kind = "deposit"', 'kind = "invoice"', "own_share.deposit_percent", 'no step "deposit"',
     "that step"),
    (GUANGXI, "deposit_percent = 20\n", "", "order_step", 'a step "deposit"', "`own_share`"),
    (NINGXIA, 'kind = "rate"', 'kind = "accept"', "rating.required_for_settlement", 'no step "rate"',
     "that step"),
    (GUANGZHOU, 'returned_to = "upload_contract"', 'returned_to = "deliver"', "order_step[3].returned_to",
     '"deliver"', "an earlier step"),
    (GUANGZHOU, "minimum_percent = 50, ", "", "order_step[5].document[1]", "half a rule",
     "`minimum_percent`"),
    # reviews
    (LISHUI, '    { kind = "public_notice", name = "公示", by = "authority" },\n', "", "review[4]",
     "no public notice", "the notice"),
    (LISHUI, 'required_for = ["settlement"]', "required_for = []", "review[4]", "a public notice",
     "required_for"),
    (LISHUI, '    { kind = "disbursement", name = "资金拨付", by = "operator" },\n', "", "review[4]",
     "nobody pays", "disbursement"),
    (LISHUI, 'subject = "offering"', 'subject = "provider"', "review[2].subject", '"provider" again',
     "one chain"),
    (REAL / "yinchuan-2024.toml", 'when = "sampled", share_percent = 20', 'when = "sampled"',
     "review[2].step[1]", "half a spot check", "`share_percent`"),
    (GUANGXI, 'name = "专家综合评定，择优推荐", by = "expert"',
     'name = "专家综合评定，择优推荐", by = "expert", panel_min = 0',
     "review[1].step[1].panel_min", '0 at "expert_review"', "one expert or more"),
    (LISHUI, 'kind = "pre_review", name = "真实性', 'kind = "pre_review", panel_min = 3, name = "真实性',
     "review[1].step[0].panel_min", '3 at "pre_review"', 'at "expert_review"'),
    (GUANGZHOU, 'takes = ["市"]', 'takes = ["县"]', "provider.change_report.office[1].takes", '"县"',
     "the level of a label"),
    (GUANGZHOU, "by_level = true\n", "", "provider.change_report.office", "none, or too many", "by_level"),
    # prices and grades
    (LISHUI, "least_contracts = 5", "least_contracts = 0", "fair_price.least_contracts", "0", "1 or more"),
    (NINGXIA, 'grades = ["优秀", "良好", "合格", "不合格"]\n', "", "rating.grades", "none", "the grades"),
    (REAL / "yinchuan-2024.toml", 'form = "offline_review"', 'form = "site"', "review[2].step[2].form",
     '"site"', "the code of a form"),
    (GUANGXI, "windows_per_year_max = 2", "windows_per_year_max = 0", "settlement.windows_per_year_max",
     "0", "1 or more"),
    # sanctions
    (LISHUI, 'sanction = "recovery"', 'sanction = "fine"', "conflict[0].sanction", '"fine"', "a sanction"),
    (LISHUI, 'code = "right_cancelled"', 'code = "right_cancelled"\nban_years = 2', "sanction[2].ban_years",
     "2", "a measure that bars"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "old", "new", "key", "found", "expected"),
    MISTAKES,
    ids=[f"{mistake[3]}: {mistake[4]}" for mistake in MISTAKES],
)
def test_a_mistake_gives_its_one_error(
    tmp_path: Path, source: Path, old: str, new: str, key: str, found: str, expected: str
) -> None:
    text = source.read_text(encoding="utf-8")
    assert old in text, "the mistake is planted in nothing"
    broken = tmp_path / source.name
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProgrammeError) as error:
        load_programme(broken)
    assert (error.value.file, error.value.key) == (broken, key)
    assert found in error.value.found
    assert expected in error.value.expected
    assert str(error.value).startswith(f"{source.name}:")
    for chinese in (programme_faults.found(error.value), programme_faults.expected(error.value)):
        assert not english_in(chinese), chinese


def english_in(said: str) -> list[str]:
    """Words that are no Chinese, but for what is quoted and what a file is written in."""
    bare = re.sub(r"“[^”]*”", "", said)
    return [word for word in re.findall(r"[A-Za-z]{2,}", bare) if word not in OF_A_FILE]


OF_A_FILE = {"TOML", "UTF", "true", "false", "NaN"}
HOLDERS = {
    "transferable = false": "transferable = true",
    "named = true": "named = false",
    "change_given = false": "change_given = true",
}
FILES = [
    pytest.param(source, marks=pytest.mark.rules(rule))
    for source, rule in (
        (LISHUI, "LS-09"),
        (GUANGXI, "GX-04"),
        (GUANGZHOU, "GZ-09"),
        (NINGXIA, "NX-03"),
        (YINCHUAN, "YC-06"),
    )
]


@pytest.mark.parametrize("old", list(HOLDERS))
@pytest.mark.parametrize("source", FILES)
def test_no_programme_lets_a_voucher_change_hands_or_pay_its_holder(
    tmp_path: Path, source: Path, old: str
) -> None:
    load_programme(source)
    text, key = source.read_text(encoding="utf-8"), old.partition(" ")[0]
    assert text.count(f"\n{old}\n") == 1
    broken = tmp_path / source.name
    broken.write_text(text.replace(f"\n{old}\n", f"\n{HOLDERS[old]}\n"), encoding="utf-8")
    with pytest.raises(ProgrammeError) as error:
        load_programme(broken)
    assert error.value.key == f"voucher.{key}"


# what is replaced in Lishui's file, by what, and the text that must stand on the line the error names
PLACES = [
    ("rate_percent = 70", "rate_percent = 700", "rate_percent = 700"),
    ("face_value_yuan = 20000", "face_value_yuan = 0.005", "face_value_yuan = 0.005"),
    (
        '{ code = "period", name = "服务期限", kind = "text" }',
        '{ code = "period", kind = "text" }',
        '"period"',
    ),
    ('code = "default_grant"', 'kode = "default_grant"', 'kode = "default_grant"'),
    ('article = "六"\n', "", "[validity]"),
    ('required_for = ["settlement"]', "required_for = []", 'subject = "settlement"'),
]


@pytest.mark.parametrize(("old", "new", "on_the_line"), PLACES, ids=[place[2] for place in PLACES])
def test_the_error_names_the_line(tmp_path: Path, old: str, new: str, on_the_line: str) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text(LISHUI.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProgrammeError) as error:
        load_programme(broken)
    lines = broken.read_text(encoding="utf-8").splitlines()
    # The line of a table is the one its header stands on.
    assert on_the_line in "\n".join(lines[error.value.line - 1 : error.value.line + 1])


def test_what_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text('[identity]\nslug = "a\n', encoding="utf-8")
    with pytest.raises(ProgrammeError, match=r"^broken\.toml:2: the file: found .*; expected TOML$"):
        load_programme(broken)


def test_what_is_not_utf8_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes('name = "丽水"'.encode("gb18030"))
    with pytest.raises(ProgrammeError, match="UTF-8"):
        load_programme(broken)
