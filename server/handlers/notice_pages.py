"""The public pages of notices: plain HTML that needs no script and no account, and the article of one.

Every word that came from anybody is escaped. A table says what it holds, has a header for each column and one
for each row, and the page its language: it is read aloud as well as looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from aiohttp import web
from pydantic import Field

from server import texts
from server.handlers.api import PUBLIC, Answer, Routes
from server.handlers.notice_views import NoticePath, page_of, status_name
from server.handlers.parsing import Id, Query
from server.handlers.plain_pages import HTML, column_heads, facts, plain_page
from server.keys import NOTICE_DESK, PROGRAMMES, SETTINGS
from server.models.public_notices import NoticeShowing, PublicNotice
from server.programme.model import Programme
from server.programme.public_notice_defaults import NoticeDefaults
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import told, told_until
from server.rules.public_notices import NoticeKind, NoticeStatus, columns_of
from server.services.public_notices import notice_reading
from server.services.public_notices.notice_reading import Shown

routes = Routes("notice_pages")

PAGE = 50


class ListQuery(Query):
    """Which page."""

    before: Id | None = Field(default=None, description="Older than this id. | 早于该编号。")


class Article(Answer):
    """A notice as an article of the official account: to be pasted as it stands."""

    title: str = Field(description="Its title, 64 characters at most. | 标题。")
    digest: str = Field(description="What the list shows of it. | 摘要。")
    content: str = Field(description="The body as HTML of plain paragraphs. | 正文 HTML，仅含段落。")
    text: str = Field(description="The same without HTML. | 纯文本正文。")
    source_url: str = Field(description="Its page here. | 原文链接。")


@routes.get(
    "/notices",
    summary="All notices, as a page to read. | 公示与公布，网页版。",
    access=PUBLIC,
    answers={200: HTML},
)
async def index(request: web.Request, query: ListQuery) -> web.Response:
    rows = await notice_reading.page(None, before=query.before, limit=PAGE + 1)
    names = request.app[PROGRAMMES].name_of
    parts = list(_list(rows[:PAGE], {row.programme_slug: names(row.programme_slug) for row in rows}))
    if len(rows) > PAGE:
        words = escape(texts.NOTICE_PAGE["next"])
        parts.append(f'<p><a rel="next" href="/notices?before={rows[PAGE - 1].id}">{words}</a></p>')
    return plain_page(texts.NOTICE_PAGE["list_title"], parts)


@routes.get(
    "/notices/{notice_id}",
    summary="One notice, as a page to read. | 公示网页。",
    access=PUBLIC,
    answers={200: HTML},
)
async def page(request: web.Request, path: NoticePath) -> web.Response:
    shown = await notice_reading.shown(path.notice_id)
    programmes = request.app[PROGRAMMES]
    notice = shown.notice
    parts = list(_notice(shown, programmes.name_of(notice.programme_slug)))
    if notice.kind is NoticeKind.OBJECTION and notice.status is NoticeStatus.STANDING:
        # What stands is of a programme that is there; what is archived outlives its programme.
        programme = programmes.get(notice.programme_slug)
        parts += _how(programme, request.app[NOTICE_DESK].defaults)
    return plain_page(notice.title, [*parts, *_proof(notice)])


@routes.get(
    "/api/v1/public-notices/{notice_id}/article",
    summary="The same as an article of the official account. | 公众号图文正文。",
    access=PUBLIC,
    answers={200: Article},
)
async def article(request: web.Request, path: NoticePath) -> Article:
    shown = await notice_reading.shown(path.notice_id)
    notice, words = shown.notice, texts.NOTICE_ARTICLE
    url = page_of(notice, request.app[SETTINGS].public_url)
    name = request.app[PROGRAMMES].name_of(notice.programme_slug)
    lines = list(_paragraphs(shown, name, url))
    return Article(
        title=notice.title[:64],
        digest=words["digest"].format(programme=name, count=len(shown.lines), period=_period(notice)),
        content="".join(f"<p>{escape(line)}</p>" for line in lines),
        text="\n".join(lines),
        source_url=url,
    )


def _list(rows: list[PublicNotice], names: dict[str, str]) -> Iterator[str]:
    words = texts.NOTICE_PAGE
    yield f"<p>{escape(words['list_intro'])}</p>"
    if not rows:
        yield f"<p>{escape(words['empty'])}</p>"
        return
    heads = [words[name] for name in ("title", "programme", "status", "published", "until")]
    yield f'<div class="wide"><table><caption>{escape(words["list_title"])}</caption>'
    yield from column_heads(heads)
    for row in rows:
        cells = [
            names[row.programme_slug],
            status_name(row),
            told(row.published_at) if row.published_at is not None else "",
            told_until(row.ends_at) if row.ends_at is not None else "",
        ]
        link = f'<a href="/notices/{row.id}">{escape(row.title)}</a>'
        yield f'<tr><th scope="row">{link}</th>{"".join(f"<td>{escape(one)}</td>" for one in cells)}</tr>'
    yield "</tbody></table></div>"


def _notice(shown: Shown, programme_name: str) -> Iterator[str]:
    notice, words = shown.notice, texts.NOTICE_PAGE
    yield f'<p><a href="/notices">{escape(words["back"])}</a></p>'
    if notice.withdrawn_at is not None:
        said = words["withdrawn"].format(at=told(notice.withdrawn_at), reason=notice.withdraw_reason)
        yield f"<p><strong>{escape(said)}</strong></p>"
    for one, which in ((shown.replaces, "replaces"), (shown.replaced_by, "replaced_by")):
        if one is not None:
            link = f'<a href="/notices/{one.id}">{escape(one.title)}（{one.number}）</a>'
            yield f"<p>{escape(words[which])}{link}</p>"
    known = [
        (words["number"], notice.number or ""),
        (words["programme"], programme_name),
        (words["status"], status_name(notice)),
        (words["published"], told(notice.published_at) if notice.published_at is not None else ""),
        (words["clause"], notice.clause),
    ]
    if notice.kind is NoticeKind.OBJECTION:
        known.append((words["period"], _period(notice)))
    yield facts(known)
    yield from _lines(shown)
    if shown.showings:
        yield from _channels(shown.showings)


def _proof(notice: PublicNotice) -> Iterator[str]:
    words = texts.NOTICE_PAGE
    yield f"<h2>{escape(words['hash'])}</h2><p><code>{notice.sha256}</code></p>"
    yield f"<p>{escape(words['hash_text'])}</p>"


def _lines(shown: Shown) -> Iterator[str]:
    words = texts.NOTICE_PAGE
    names = columns_of([line.values for line in shown.lines])
    title = words["result_lines" if shown.notice.kind is NoticeKind.RESULT else "lines"]
    yield f'<div class="wide"><table><caption>{escape(title)}</caption>'
    yield from column_heads([words["place"], *names, words["state"]])
    for line in shown.lines:
        cells = [*(line.values.get(name, "") for name in names), texts.LINE_STATES[line.state]]
        row = "".join(f"<td>{escape(one)}</td>" for one in cells)
        yield f'<tr><th scope="row">{line.place}</th>{row}</tr>'
    yield "</tbody></table></div>"


def _channels(showings: Sequence[NoticeShowing]) -> Iterator[str]:
    words = texts.NOTICE_PAGE
    yield f'<div class="wide"><table><caption>{escape(words["channels"])}</caption>'
    yield from column_heads([words["channel"], words["shown_on"], words["where"]])
    for one in showings:
        day = words["not_shown"] if one.shown_on is None else one.shown_on.isoformat()
        url = escape(one.url)
        where = f'<a rel="noopener nofollow" href="{url}">{url}</a>' if one.url else ""
        if one.on_platform:
            where = escape(words["this_page"])
        yield f'<tr><th scope="row">{escape(one.channel)}</th><td>{escape(day)}</td><td>{where}</td></tr>'
    yield "</tbody></table></div>"


def _period(notice: PublicNotice) -> str:
    words = texts.NOTICE_PAGE
    if notice.kind is NoticeKind.RESULT:
        return texts.NOTICE_STATUSES["published"]
    if notice.begins_on is None or notice.ends_at is None:
        return words["period_waiting"].format(days=notice.working_days)
    said = words["period_open"].format(
        first=notice.begins_on.isoformat(), days=notice.working_days, until=told_until(notice.ends_at)
    )
    return said + (words["period_provisional"] if notice.due_provisional else "")


def _how(programme: Programme, defaults: NoticeDefaults) -> Iterator[str]:
    terms, words = programme.public_notice, texts.NOTICE_PAGE
    anyone = terms.objections_by is Role.ANYONE
    who = words["anyone"] if anyone else words["only"].format(who=texts.ACTORS[terms.objections_by])
    if terms.reply_working_days is None:
        reply = words["reply_default"].format(days=defaults.reply_working_days, says=defaults.says)
    else:
        reply = words["reply"].format(days=terms.reply_working_days)
    said = words["how_text"].format(who=who, reply=reply)
    yield f"<h2>{escape(words['how'])}</h2><p>{escape(said)}</p>"


def _paragraphs(shown: Shown, name: str, url: str) -> Iterator[str]:
    notice, words = shown.notice, texts.NOTICE_ARTICLE
    result = notice.kind is NoticeKind.RESULT
    intro = words["intro_result" if result else "intro"]
    yield intro.format(basis=name, clause=notice.clause, count=len(shown.lines), days=notice.working_days)
    for line in shown.lines:
        values = texts.STEP.join(
            words["value"].format(name=name, value=value) for name, value in line.values.items()
        )
        yield words["line"].format(place=line.place, values=values)
    if not result:
        yield words["close"]
    yield words["source"] + url
    yield f"SHA-256 {notice.sha256}"
