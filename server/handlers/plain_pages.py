"""Plain pages: HTML that needs no script and no account, in one shape for everything that is public.

Every word that came from anybody is escaped by whoever writes it here. A table says what it holds, has a
header for each column and one for each row, and the page its language: it is read aloud as well as looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from aiohttp import web

from server.handlers.api import Media

HTML = Media("text/html", "The page. | 网页。")
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}
_STYLE = """
:root { color-scheme: light dark; --line: #8886; }
body { font: 16px/1.7 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; margin: 0 auto;
  max-width: 64rem; padding: 1rem 1rem 4rem; }
table { border-collapse: collapse; width: 100%; }
caption { font-weight: bold; padding: .5rem 0; text-align: left; }
th, td { border: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
dt { font-weight: bold; } dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
"""


def plain_page(title: str, body: Iterable[str]) -> web.Response:
    """A page of these parts, each HTML already."""
    parts = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        f"<title>{escape(title)}</title>",
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<main><h1>{escape(title)}</h1>",
        *body,
        "</main></body></html>",
    ]
    return web.Response(body="\n".join(parts).encode(), headers=HEADERS)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """What is known of one thing: each name with its value, in plain words."""
    return "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in pairs) + "</dl>"


def column_heads(names: Iterable[str]) -> Iterator[str]:
    """The head of a table; its body is open behind it."""
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    yield f"<thead><tr>{cells}</tr></thead><tbody>"


def plain_table(
    caption: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]
) -> Iterator[str]:
    """A whole table. A row is its header, HTML already, and its cells in plain words."""
    yield f'<div class="wide"><table><caption>{escape(caption)}</caption>'
    yield from column_heads(heads)
    for head, cells in rows:
        said = "".join(f"<td>{escape(one)}</td>" for one in cells)
        yield f'<tr><th scope="row">{head}</th>{said}</tr>'
    yield "</tbody></table></div>"
