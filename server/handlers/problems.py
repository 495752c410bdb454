"""Problems: how a refusal looks on the wire, as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from random import Random
from string import Formatter
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server import texts
from server.errors import Refusal

CONTENT_TYPE = "application/problem+json"
OVERLOADED = frozenset({429, 503})


class NoSuchAddress(Refusal):
    """No route has this path."""

    status, code = 404, "no_such_address"


class MethodNotAllowed(Refusal):
    """The path exists, the method does not; ``Allow`` names those that do."""

    status, code = 405, "method_not_allowed"


class RequestUnusable(Refusal):
    """The HTTP request itself makes no sense (a broken header, an impossible length)."""

    status, code = 400, "request_unusable"


class ServiceUnavailable(Refusal):
    """The database or Redis is away. Nothing was half done; ask again after ``retry_after``."""

    status, code = 503, "service_unavailable"


class InternalError(Refusal):
    """A fault of ours. The log holds the rest, under the request id."""

    status, code = 500, "internal_error"


class Fault(BaseModel):
    """One field that is wrong."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="Path of the field, dots between levels. | 字段路径，以点分层。")
    code: str = Field(description="Stable machine code of the fault. | 错误代码，不会变化。")
    problem: str = Field(description="What is wrong, in Chinese. | 中文说明。")


class UnmetCondition(BaseModel):
    """One condition that is not met."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="Stable machine code of the condition. | 条件代码。")
    clause: str = Field(description="The provision that asks for it. | 依据条款。")
    message: str = Field(description="What is not met, in Chinese. | 中文说明。")
    arithmetic: str = Field(default="", description="The comparison behind it. | 计算过程。")


class Problem(BaseModel):
    """Every error answer. ``detail`` is the sentence for the user."""

    type: str = Field(description="Where this code is explained. | 说明页地址。")
    title: str = Field(description="Short heading in Chinese. | 中文标题。")
    status: int = Field(description="HTTP status. | HTTP 状态码。")
    detail: str = Field(description="The sentence to show the user. | 显示给用户的中文句子。")
    code: str = Field(description="Stable machine code. | 错误代码，不会变化。")
    request_id: str = Field(description="Eight characters the user can read aloud. | 可口述的八位编号。")
    clause: str | None = Field(default=None, description="The provision it rests on. | 依据条款。")
    arithmetic: str | None = Field(default=None, description="The sum behind it. | 计算过程。")
    unmet: list[UnmetCondition] | None = Field(
        default=None, description="Every condition not met. | 全部未满足的条件。"
    )
    faults: list[Fault] | None = Field(
        default=None, description="Every field that is wrong. | 全部有误的字段。"
    )
    retry_after: int | None = Field(
        default=None, description="Seconds until asking again makes sense. | 建议多少秒后重试。"
    )
    values: dict[str, Any] | None = Field(
        default=None, description="The values that the sentence names. | 句子中的数值。"
    )


class Malformed(Refusal):
    """The input does not fit its description; ``faults`` lists everything that is wrong with it."""

    status, code = 422, "malformed"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(count=len(faults))
        self.faults = faults


def spread(seconds: int, random: Random) -> int:
    """``seconds`` and up to half as many more, or up to one: a crowd told to wait returns thinly."""
    return seconds + random.randint(0, max(1, seconds // 2))


class _Values(dict[str, object]):
    """What a sentence may name; a value nobody gave is shown as a gap, for the rest is still true."""

    def __missing__(self, name: str) -> str:
        return "…"


def unsaid(refusal: Refusal) -> list[str]:
    """The values that the refusal's sentence names and nobody gave."""
    given = {**refusal.values, "request_id": "", "retry_after": refusal.retry_after}
    named = (name for _, name, _, _ in Formatter().parse(texts.REFUSALS[refusal.code]) if name)
    return [name for name in named if given.get(name) is None]


def document(refusal: Refusal, retry_after: int | None, **known: object) -> dict[str, Any]:
    """The problem that a refusal is, but for the request id.

    ``known`` joins the refusal's own values in its sentence. Whatever is empty is left out.
    """
    values = _Values({**refusal.values, "retry_after": retry_after, **known})
    problem: dict[str, Any] = {
        "type": f"/docs#{refusal.code}",
        "title": texts.STATUS_TITLES[refusal.status],
        "status": refusal.status,
        "detail": texts.REFUSALS[refusal.code].format_map(values),
        "code": refusal.code,
    }
    if refusal.clause:
        problem["clause"] = refusal.clause
    if refusal.arithmetic:
        problem["arithmetic"] = refusal.arithmetic
    if refusal.unmet:
        problem["unmet"] = refusal.unmet
    if isinstance(refusal, Malformed):
        problem["faults"] = [fault.model_dump() for fault in refusal.faults]
    if retry_after is not None:
        problem["retry_after"] = retry_after
    if refusal.values:
        problem["values"] = refusal.values
    return problem


def problem_response(refusal: Refusal, request_id: str, random: Random) -> web.Response:
    """The answer that tells a refusal.

    Only an overloaded server's ``retry_after`` is spread at random: a round that opens in three
    seconds opens in three seconds for everybody.
    """
    retry_after = refusal.retry_after
    if retry_after is not None and refusal.status in OVERLOADED:
        retry_after = spread(retry_after, random)
    problem = document(refusal, retry_after, request_id=request_id)
    problem["request_id"] = request_id
    headers = {"Content-Type": CONTENT_TYPE}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return web.Response(body=orjson.dumps(problem, default=str), status=refusal.status, headers=headers)
