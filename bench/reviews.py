"""The reviewers' inbox with a million settlements against a thousand: lists, counts, and narrowed lists.

Measured and judged as the inbox of offerings is (``bench/inbox.py``). What fills it are settlements, each
about an amount, of an area, at one of three steps; a fifth of them are over, a fifth wait for a draw.
"""

from __future__ import annotations

from bench.inbox import Filling, compare
from bench.ratios import Finding
from server.programme.review import ReviewSubject

AREA = "浙江省/丽水市/莲都区"

CASES = """
INSERT INTO review_case (subject, subject_id, programme_slug, programme_version, organisation_name, uscc,
    area, title, chain, circumstances, status, place, step_name, turn, turn_since, claimed_by, claimed_at,
    due_at, due_provisional, rank_ms, amount_fen, flagged, version, opened_at, opened_by, closed_at)
SELECT 'settlement', n, slugs[1 + chance / 7 % cardinality(slugs)], '1', '第' || n || '号技术服务有限公司',
    'BENCH' || lpad(n::text, 13, '0'), areas[1 + chance / 100 % 4], '兑付申请', $2::jsonb, '[]'::jsonb,
    CASE WHEN kind < 8 THEN 'open' ELSE 'passed' END, CASE WHEN kind < 8 THEN chance / 1000 % 3 END,
    steps[1 + chance / 1000 % 3],
    CASE WHEN kind < 5 THEN 'operator' WHEN kind = 5 THEN 'authority' END,
    began, CASE WHEN kind = 0 THEN 1 END, CASE WHEN kind = 0 THEN began END,
    due, false, coalesce((extract(epoch FROM due) * 1000)::bigint, 9007199254740991),
    (chance / 10000 % 500) * 100000, false, 1, began, 'person:1', CASE WHEN kind > 7 THEN began END
FROM generate_series(1, $1) n,
    LATERAL (SELECT n % 10 AS kind, hashint4(n) & 2147483647 AS chance,
        $3::timestamptz - make_interval(days => n % 90) AS began) one,
    LATERAL (SELECT $3::timestamptz + make_interval(hours => CASE kind
        WHEN 1 THEN 4 + n % 64 WHEN 2 THEN -1 - n % 500 END) AS due) another,
    (SELECT $4::text[] AS slugs,
        ARRAY['浙江省/丽水市/莲都区', '浙江省/丽水市/莲都区/紫金街道',
            '广东省/广州市', '宁夏/银川市'] AS areas,
        ARRAY['线上审核', '局务会', '党组会'] AS steps) known"""
"""Of ten, one is the operator's own, one is due soon, one late, two wait, one is another's, two wait for a
draw and are nobody's turn; two are over. Programme, area, step and amount go by chance, each by itself."""

SETTLEMENTS = Filling(
    "inbox of settlements",
    ReviewSubject.SETTLEMENT,
    CASES,
    {
        "one step": "reviews?queue=team&subject=settlement&step=局务会",
        "a fifth of the amounts": "reviews?queue=team&amount_from_fen=10000000&amount_to_fen=20000000",
        "one area": f"reviews?queue=team&area={AREA}",
        "a rare amount": "reviews?queue=team&amount_from_fen=0&amount_to_fen=0",
        "late, a step and amounts": "reviews?queue=late&step=局务会&amount_from_fen=1&amount_to_fen=20000000",
        "every case of an area": f"reviews?queue=all&area={AREA}",
    },
    {"a search by part of a name": "reviews?queue=team&search=第777号"},
)


async def measure() -> list[Finding]:
    """The ratio of the lists, and of each of those that are narrowed."""
    return await compare(SETTLEMENTS)
