"""miniprogram_api.md: the contract as the authors of the mini-program read it.

    python -m tools.api            # write miniprogram_api.md
    python -m tools.api --check    # exit 1 if it is not what the routes say

Everything comes from the declarations of the routes, English and Chinese side by side, so that the
document cannot drift from the server.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from server import texts
from server.errors import Refusal
from server.handlers import doors, openapi
from server.handlers.api import Access, Media, Route, both, refusals_of
from server.handlers.docs_page import Row, parameter_rows, remedy, rows_of, who

FILE = Path(__file__).parent.parent / "miniprogram_api.md"

_INTRODUCTION = """\
# The mini-program API · 小程序接口

Made by `make api` from the declarations of the routes; do not edit by hand.
由 `make api` 根据接口声明生成，请勿手工修改。

- Money is a whole number of fen (`_fen`), a rate is in basis points (`_bp`), an instant is RFC 3339
  with an offset. 金额为整数分（`_fen`），比例为万分比（`_bp`），时间为带时区的 RFC 3339。
- Bodies are JSON objects in UTF-8 with `Content-Type: application/json`; unknown fields are refused.
  请求体为 UTF-8 的 JSON 对象，不认识的字段会被拒绝。
- Sign in first, then send `Authorization: Bearer <access token>` where a route asks for it.
  需要登录的接口请带上 `Authorization: Bearer <access token>`。
- Every error is `application/problem+json`: show `detail` to the user, branch on `code`, let the user
  read `request_id` to the hotline. `retry_after` (also the `Retry-After` header) is in seconds.
  所有错误都是 `application/problem+json`：`detail` 显示给用户，程序按 `code` 判断，
  `request_id` 可口述给客服，`retry_after`（也在 `Retry-After` 头里）单位为秒。

An error answer · 错误返回的字段：
"""
_FIELDS = "| field · 字段 | type · 类型 | | meaning · 含义 |\n|---|---|---|---|"
_REFUSALS = (
    "| code · 代码 | status | when · 何时 | sentence · 提示 | what the user can do · 用户可以怎么做 |\n"
    "|---|---|---|---|---|"
)


def render(declared: Sequence[Route]) -> str:
    """The whole document for these routes."""
    described = openapi.document(declared)
    components = described["components"]["schemas"]
    parts = [_INTRODUCTION, *_field_table(list(rows_of(components["Problem"], components)))]
    shared = set.intersection(*({*refusals_of(route)} for route in declared))
    parts += [
        "\nRefusals that any route may answer · 任何接口都可能返回的错误：\n",
        *_refusal_table(sorted(shared, key=lambda refusal: refusal.status)),
    ]
    for tag in dict.fromkeys(route.tag for route in declared):
        parts.append(f"\n## {tag}\n")
        for route in declared:
            if route.tag == tag:
                parts += _route(route, described, shared)
    return "\n".join(parts) + "\n"


def example_of(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
    """A value that fits a schema: its own example or default where it has one."""
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "default" in schema:
        return schema["default"]
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components)
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return example_of(schema[several][0], components)
    return _EXAMPLES[schema.get("type", "null")](schema, components)


def _object(schema: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    return {name: example_of(field, components) for name, field in schema.get("properties", {}).items()}


def _array(schema: Mapping[str, Any], components: Mapping[str, Any]) -> list[Any]:
    return [example_of(schema["items"], components)] if "items" in schema else []


def _string(schema: Mapping[str, Any], _components: Mapping[str, Any]) -> str:
    by_format = {"date-time": "2026-03-01T01:00:00Z", "date": "2026-03-01"}
    least = max(1, int(schema.get("minLength", 1)))
    return by_format.get(str(schema.get("format", "")), "文" * least)


_EXAMPLES: Mapping[str, Any] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": lambda schema, _components: max(1, schema.get("minimum", 1)),
    "number": lambda schema, _components: max(1, schema.get("minimum", 1)),
    "boolean": lambda _schema, _components: True,
    "null": lambda _schema, _components: None,
}


def _route(route: Route, described: Mapping[str, Any], shared: set[type[Refusal]]) -> Iterator[str]:
    components = described["components"]["schemas"]
    operation = described["paths"][route.path][route.method.lower()]
    english, chinese = both(route.summary)
    yield f"### {route.method} {route.path}\n"
    yield f"{english} {chinese}\n"
    yield f"Who may call · 谁可以调用: {_who_in_english(route.access)}. {who(route.access)}。\n"
    rows = parameter_rows(operation, components)
    body = None
    if route.body_model is not None:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        rows += rows_of(body, components)
    if rows:
        yield "Takes · 参数\n"
        yield from _field_table(rows)
        yield ""
    if route.receives is not None:
        english, chinese = both(route.receives.description)
        yield f"Body · 请求体: {english} {chinese} ({route.receives.content_type})\n"
    yield from _request_example(route, operation, body, components)
    for status, answer in route.answers.items():
        yield from _answer(status, answer, operation, components)
    own = [refusal for refusal in refusals_of(route) if refusal not in shared]
    if own:
        yield "Refusals · 错误\n"
        yield from _refusal_table(own)
        yield ""


def _request_example(
    route: Route, operation: Mapping[str, Any], body: Mapping[str, Any] | None, components: Mapping[str, Any]
) -> Iterator[str]:
    path, headers = route.path, []
    if not route.access.is_public:
        headers.append("Authorization: Bearer eyJ…")
    for parameter in operation["parameters"]:
        value = example_of(parameter["schema"], components)
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(value))
        elif parameter["in"] == "header":
            headers.append(f"{parameter['name']}: {value}")
    if body is not None:
        headers.append("Content-Type: application/json")
    if route.receives is not None:
        headers.append(f"Content-Type: {route.receives.content_type.partition(',')[0]}")
    yield "```http"
    yield f"{route.method} {path}"
    yield from headers
    if body is not None:
        yield f"\n{_json(example_of(body, components))}"
    yield "```\n"


def _answer(
    status: int, answer: object, operation: Mapping[str, Any], components: Mapping[str, Any]
) -> Iterator[str]:
    if answer is None:
        yield f"Answers {status}, empty · 返回 {status}，无内容\n"
        return
    if isinstance(answer, Media):
        yield f"Answers {status} with {answer.content_type} · 返回 {status}，{answer.content_type}\n"
        return
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    yield f"Answers {status} · 返回 {status}\n"
    yield from _field_table(list(rows_of(schema, components)))
    yield f"\n```json\n{_json(example_of(schema, components))}\n```\n"


def _who_in_english(access: Access) -> str:
    if access.is_public:
        return "anybody, without signing in"
    kinds = " or ".join({"person": "a person", "staff": "staff"}[kind] for kind in sorted(access.kinds))
    roles = " or ".join(sorted(access.roles))
    if access.any_person:
        return f"a person signed in, or staff signed in as {roles}"
    return f"{kinds} signed in" + (f" as {roles}" if roles else "")


def _field_table(rows: Sequence[Row]) -> Iterator[str]:
    yield _FIELDS
    for row in rows:
        english, chinese = both(row.description)
        needed = "required · 必填" if row.required else "optional · 可选"
        name = f"`{row.name}` {row.place}".rstrip()
        yield f"| {name} | {_cell(row.kind)} | {needed} | {_cell(english)} {_cell(chinese)} |"


def _refusal_table(refusals: Sequence[type[Refusal]]) -> Iterator[str]:
    yield _REFUSALS
    for refusal in refusals:
        when = (refusal.__doc__ or "").strip().partition("\n")[0].replace("``", "`")
        cells = (
            f"`{refusal.code}`",
            str(refusal.status),
            when,
            texts.REFUSALS[refusal.code],
            remedy(refusal),
        )
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def current() -> str:
    """The document as the server's own routes say it."""
    return render([route for routes in (*doors.MODULES, openapi.routes) for route in routes.declared])


def main(arguments: Sequence[str]) -> int:
    """Write the document, or with ``--check`` say whether it is current. The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    document = current()
    if not parser.parse_args(arguments).check:
        FILE.write_text(document, encoding="utf-8")
        print(f"api: {document.count(chr(10) + '### ')} routes written to {FILE.name}")
        return 0
    is_current = FILE.exists() and FILE.read_text(encoding="utf-8") == document
    print(f"api: {FILE.name} is {'current' if is_current else 'not what the routes say; run `make api`'}")
    return 0 if is_current else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
