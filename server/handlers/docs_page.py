"""The readable page of the contract: one self-contained HTML document, in Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from server import texts
from server.errors import Refusal
from server.handlers.api import Access, Media, Route, both, refusals_of

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif;
  margin: 0 auto; max-width: 60rem; padding: 1rem 1rem 6rem; }
h2 { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; overflow-wrap: anywhere; }
code, h2 { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .95em; }
table { border-collapse: collapse; display: block; overflow-x: auto; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .7rem .35rem 0; text-align: left;
  vertical-align: top; }
small { opacity: .75; }
:target { background: var(--soft); }
"""


@dataclass(frozen=True)
class Documents:
    """What ``/openapi.json`` and ``/docs`` serve, rendered once."""

    openapi: bytes
    page: bytes


@dataclass(frozen=True)
class Row:
    """One field of an input or an answer, as both documents show it."""

    name: str
    kind: str
    required: bool
    description: str
    place: str = ""
    """``path``, ``query`` or ``header`` for what does not stand in a body."""


def render(declared: Sequence[Route], described: Mapping[str, Any]) -> str:
    """The page. ``described`` is the OpenAPI document of the same routes."""
    words = texts.DOCS_PAGE
    refusals = {refusal.code: refusal for route in declared for refusal in refusals_of(route)}
    parts = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        f"<title>{escape(texts.API_TITLE)}</title>",
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<h1>{escape(texts.API_TITLE)}</h1><p>{escape(texts.API_DESCRIPTION)}</p>",
        f'<p><a href="/openapi.json">{words["machine_readable"]}</a></p><ul>',
        *(
            f'<li><a href="#{_anchor(route)}"><code>{route.method} {escape(route.path)}</code></a>'
            f" {escape(both(route.summary)[1])}</li>"
            for route in declared
        ),
        "</ul>",
        *(part for route in declared for part in _route(route, described)),
        f'<h2 id="refusals">{words["all_refusals"]}</h2>',
        *_refusal_table(
            sorted(refusals.values(), key=lambda refusal: (refusal.status, refusal.code)), anchors=True
        ),
        "</body></html>",
    ]
    return "\n".join(parts)


def rows_of(schema: Mapping[str, Any], components: Mapping[str, Any], above: str = "") -> Iterator[Row]:
    """The fields of an object schema as declared, inner ones as ``parts[].name``."""
    described = _resolved(schema, components)
    required = set(described.get("required", ()))
    for name, field in described.get("properties", {}).items():
        path = above + name
        yield Row(path, kind_of(field, components), name in required, field.get("description", ""))
        for inner in field.get("anyOf", [field]):
            if inner.get("type") == "array":
                yield from rows_of(inner.get("items", {}), components, f"{path}[].")
            elif "$ref" in inner:
                yield from rows_of(inner, components, f"{path}.")


def parameter_rows(operation: Mapping[str, Any], components: Mapping[str, Any]) -> list[Row]:
    """What an operation takes outside of its body."""
    return [
        Row(
            parameter["name"],
            kind_of(parameter["schema"], components),
            parameter["required"],
            parameter["description"],
            parameter["in"],
        )
        for parameter in operation["parameters"]
    ]


def _resolved(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return schema if reference is None else components[reference.rpartition("/")[2]]


def kind_of(schema: Mapping[str, Any], components: Mapping[str, Any]) -> str:
    """A field's type in a few words: ``integer 0…100``, ``string (draft, open)``, ``object[]``."""
    if "$ref" in schema:
        choices = _resolved(schema, components).get("enum")
        return f"string ({', '.join(map(str, choices))})" if choices else "object"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " | ".join(kind_of(one, components) for one in schema[several])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return f"string ({', '.join(map(str, schema['enum']))})"
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"{kind_of(schema.get('items', {}), components)}[]"
    if "minimum" in schema or "maximum" in schema:
        kind += f" {schema.get('minimum', '')}…{schema.get('maximum', '')}"
    return f"{kind} {schema['format']}" if "format" in schema else kind


def who(access: Access) -> str:
    """Who may call, in Chinese."""
    if access.is_public:
        return texts.DOCS_PAGE["everybody"]
    kinds = "、".join(texts.ACTOR_KINDS[kind] for kind in sorted(access.kinds))
    if not access.roles:
        return kinds
    # "Persons, staff (operator)": the roles are asked of those who stand last.
    return f"{kinds}（{'、'.join(sorted(access.roles))}）"


def remedy(refusal: type[Refusal]) -> str:
    """What the user can do about a refusal, in Chinese."""
    return texts.REMEDIES.get(refusal.code) or texts.REMEDIES_BY_STATUS[refusal.status]


def _anchor(route: Route) -> str:
    return f"{route.tag}_{route.handler.__name__}"


def _route(route: Route, described: Mapping[str, Any]) -> Iterator[str]:
    words = texts.DOCS_PAGE
    components = described["components"]["schemas"]
    operation = described["paths"][route.path][route.method.lower()]
    english, chinese = both(route.summary)
    yield f'<h2 id="{_anchor(route)}">{route.method} {escape(route.path)}</h2>'
    yield f"<p>{escape(chinese)}<br><small>{escape(english)}</small></p>"
    yield f"<p>{words['who']}{escape(who(route.access))}</p>"
    rows = parameter_rows(operation, components)
    if route.body_model is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        rows += rows_of(schema, components)
    yield from _field_table(words["takes"], rows)
    for status, answer in route.answers.items():
        title = f"{words['answers']}{status}"
        if isinstance(answer, type):
            schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
            yield from _field_table(title, list(rows_of(schema, components)))
        else:
            content = answer.content_type if isinstance(answer, Media) else words["empty"]
            yield f"<h3>{title}</h3><p>{escape(content)}</p>"
    yield f"<h3>{words['refusals']}</h3>"
    yield from _refusal_table(refusals_of(route), anchors=False)


def _field_table(title: str, rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        return
    words = texts.DOCS_PAGE
    yield f"<h3>{title}</h3><table><tr><th>{words['field']}</th><th>{words['kind']}</th><th></th>"
    yield f"<th>{words['meaning']}</th></tr>"
    for row in rows:
        english, _, chinese = row.description.partition(" | ")
        needed = words["required"] if row.required else words["optional"]
        yield (
            f"<tr><td><code>{escape(row.name)}</code> {row.place}</td><td>{escape(row.kind)}</td>"
            f"<td>{needed}</td><td>{escape(chinese)}<br><small>{escape(english)}</small></td></tr>"
        )
    yield "</table>"


def _refusal_table(refusals: Iterable[type[Refusal]], *, anchors: bool) -> Iterator[str]:
    words = texts.DOCS_PAGE
    yield f"<table><tr><th>{words['code']}</th><th>{words['status']}</th><th>{words['sentence']}</th>"
    yield f"<th>{words['remedy']}</th></tr>"
    for refusal in refusals:
        code = escape(refusal.code)
        cell = (
            f'<td id="{code}"><code>{code}</code></td>'
            if anchors
            else f'<td><a href="#{code}">{code}</a></td>'
        )
        sentence = escape(texts.REFUSALS[refusal.code])
        yield f"<tr>{cell}<td>{refusal.status}</td><td>{sentence}</td><td>{escape(remedy(refusal))}</td></tr>"
    yield "</table>"
