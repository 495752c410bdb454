"""The page of a report: HTML that needs no script, with charts drawn here and the table beside each.

It reads the snapshot alone, so that the page of an old report is the page that was delivered. Whatever a
row says is text and is escaped; nothing is fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from server import texts
from server.units import percent, yuan

MOST_BARS = 20
BAR, GAP, LABEL, WIDTH, VALUE = 18, 8, 190, 380, 130
"""Of a chart, pixels."""
STYLE = """
body{font-family:"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;color:#1a1a1a;background:#fff;
max-width:62rem;margin:0 auto;padding:1rem 1.5rem;line-height:1.6;font-size:1.0625rem}
h1{font-size:1.6rem}
h2{font-size:1.25rem;border-bottom:2px solid #1f4e8c;padding-bottom:.2rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border:1px solid #8a8f98;padding:.35rem .5rem;text-align:left;vertical-align:top}
th{background:#eef2f8}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tfoot td{font-weight:600;border-top:2px solid #1a1a1a}
dl.meta{display:grid;grid-template-columns:9rem 1fr;gap:.2rem .8rem}
dl.meta dt{color:#444}
dl.meta dd{margin:0;overflow-wrap:anywhere}
figure{margin:.5rem 0}
figcaption{color:#444}
svg{max-width:100%;height:auto}
footer{margin-top:2rem;color:#444;border-top:1px solid #8a8f98;padding-top:.5rem}
@media print{body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}tr,figure{break-inside:avoid}}
"""


def shown(value: Any, unit: str) -> str:
    """A value as people read it; nothing where there is none."""
    if value is None:
        return ""
    if unit == "fen":
        return yuan(int(value))
    if unit == "bp":
        return percent(int(value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def head(column: Mapping[str, Any]) -> str:
    """A column's name, with its unit where it is money."""
    unit = f"（{texts.REPORT_WORDS['unit_fen']}）" if column["unit"] == "fen" else ""
    return f"{column['label']}{unit}"


def rendered(content: Mapping[str, Any], facts: Sequence[tuple[str, str]]) -> str:
    """The whole page. ``facts`` stand above: number, version, who reports to whom, the hash."""
    title = escape(content["title"])
    lines = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in facts)
    sections = "".join(part for section in content["sections"] for part in _section(section))
    foot = escape(texts.REPORT_WORDS["footnote"])
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{title}</title><style>{STYLE}</style></head>'
        f'<body><main><h1>{title}</h1><dl class="meta">{lines}</dl>{sections}</main>'
        f"<footer>{foot}</footer></body></html>"
    )


def _section(section: Mapping[str, Any]) -> Iterator[str]:
    code = escape(section["code"])
    yield f'<section aria-labelledby="{code}"><h2 id="{code}">{escape(section["title"])}</h2>'
    if section["figures"]:
        yield f"<table><caption>{texts.REPORT_WORDS['figures']}</caption><thead><tr>"
        yield f'<th scope="col">{texts.REPORT_WORDS["figure"]}</th>'
        yield f'<th scope="col" class="n">{texts.REPORT_WORDS["value"]}</th></tr></thead><tbody>'
        for one in section["figures"]:
            yield f'<tr><th scope="row">{escape(head(one))}</th>'
            yield f'<td class="n">{escape(shown(one["value"], one["unit"]))}</td></tr>'
        yield "</tbody></table>"
    for table in section["tables"]:
        yield from _table(table)
    yield "</section>"


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    if not table["rows"]:
        yield f"<p>{escape(table['title'])}：{texts.REPORT_WORDS['nothing']}</p>"
        return
    if table["chart"]:
        yield chart(table)
    columns = table["columns"]
    yield f"<table><caption>{escape(table['title'])}</caption><thead><tr>"
    for column in columns:
        yield f'<th scope="col"{_number(column)}>{escape(head(column))}</th>'
    yield "</tr></thead><tbody>"
    for row in table["rows"]:
        yield f"<tr>{_cells(columns, row['cells'])}</tr>"
    yield "</tbody>"
    if table["totals"]:
        yield f"<tfoot><tr>{_cells(columns, table['totals'])}</tr></tfoot>"
    yield "</table>"


def _cells(columns: Sequence[Mapping[str, Any]], cells: Sequence[Any]) -> str:
    return "".join(
        f"<td{_number(column)}>{escape(shown(value, column['unit']))}</td>"
        for column, value in zip(columns, cells, strict=True)
    )


def _number(column: Mapping[str, Any]) -> str:
    return "" if column["unit"] == "text" else ' class="n"'


def bars(table: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """What is drawn of a table: label, length in thousandths of the longest, value as people read it."""
    label, value = table["chart"]
    unit = table["columns"][value]["unit"]
    rows = [(str(row["cells"][label]), int(row["cells"][value] or 0)) for row in table["rows"][:MOST_BARS]]
    most = max((one for _, one in rows), default=0)
    return [(name, max(one, 0) * 1000 // most if most > 0 else 0, shown(one, unit)) for name, one in rows]


def chart(table: Mapping[str, Any]) -> str:
    """A chart of bars as SVG; its numbers stand in the table below it."""
    drawn = bars(table)
    height = len(drawn) * (BAR + GAP) + GAP
    named = texts.REPORT_WORDS["chart"].format(
        title=table["title"], column=table["columns"][table["chart"][1]]["label"]
    )
    parts = []
    for place, (label, length, value) in enumerate(drawn):
        top = GAP + place * (BAR + GAP)
        width = length * WIDTH // 1000
        base = top + BAR - 5
        parts.append(f'<text x="{LABEL - 8}" y="{base}" text-anchor="end">{escape(_short(label))}</text>')
        parts.append(f'<rect x="{LABEL}" y="{top}" width="{width}" height="{BAR}" fill="#1f4e8c"/>')
        parts.append(f'<text x="{LABEL + width + 6}" y="{base}">{escape(value)}</text>')
    return (
        f'<figure><svg role="img" aria-label="{escape(named, quote=True)}" font-size="13" '
        f'viewBox="0 0 {LABEL + WIDTH + VALUE} {height}" width="{LABEL + WIDTH + VALUE}" height="{height}">'
        f"<title>{escape(named)}</title>{''.join(parts)}</svg><figcaption>{escape(named)}</figcaption></figure>"
    )


def _short(label: str) -> str:
    return label if len(label) <= 13 else f"{label[:12]}…"
