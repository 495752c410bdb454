"""miniprogram_api.md, the OpenAPI document and the router say the same; every example is true."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from server import texts
from server.errors import refusal_classes
from server.handlers import doors
from server.handlers.api import Route, both, refusals_of
from server.handlers.openapi import document
from server.keys import ROUTES
from tests.handlers.bad_input import body_of, headers_of
from tests.handlers.test_api_layer import routes as things
from tools import api

TEXT = api.current()


def real() -> web.Application:
    app = web.Application()
    doors.open_all(app)
    return app


DECLARED: list[Route] = list(real()[ROUTES].values())


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_the_file_is_what_the_routes_say() -> None:
    assert api.FILE.read_text("utf-8") == TEXT, "run `make api`"


def test_headings_router_and_openapi_name_the_same_routes() -> None:
    headings = re.findall(r"^### (\S+ \S+)$", TEXT, re.MULTILINE)
    router = [f"{one.method} {one.resource.canonical}" for one in real().router.routes() if one.resource]
    paths = document(DECLARED)["paths"].items()
    openapi = [f"{method.upper()} {path}" for path, methods in paths for method in methods]
    assert len(headings) == len(set(headings))
    assert sorted(headings) == sorted(router) == sorted(openapi)


def test_the_openapi_document_of_the_real_routes_is_valid() -> None:
    OpenAPIV31SpecValidator(document(DECLARED)).validate()


def test_every_refusal_in_the_document_is_a_class_with_that_status() -> None:
    classes = {(refusal.code, refusal.status) for refusal in refusal_classes()}
    rows = set(re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", TEXT, re.MULTILINE))
    assert rows
    assert {(code, int(status)) for code, status in rows} <= classes


def test_operations_are_named_once() -> None:
    names = [f"{route.tag}_{route.handler.__name__}" for route in DECLARED]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("route", DECLARED, ids=named)
def test_a_route_says_everything_in_both_languages(route: Route) -> None:
    both(route.summary)
    section = section_of(route)
    for refusal in refusals_of(route):
        assert refusal.__doc__, refusal
        assert refusal.code in texts.REFUSALS
        assert f"`{refusal.code}`" in TEXT
    for model in (route.path_model, route.query_model, route.headers_model, route.body_model):
        for name, field in model.model_fields.items() if model else ():
            both(field.description or "")
            assert f"`{field.alias or name}`" in section


@pytest.mark.parametrize("route", [*DECLARED, *things.declared], ids=named)
def test_the_examples_of_inputs_are_accepted_by_their_models(route: Route) -> None:
    if route.body_model is not None:
        route.body_model.model_validate_json(json.dumps(body_of(route)))
    if route.headers_model is not None:
        route.headers_model.model_validate_strings(headers_of(route))


def test_inputs_headers_and_inner_fields_have_their_rows() -> None:
    text = api.render([*things.declared, *DECLARED])
    assert "| `Idempotency-Key` header | string | required · 必填 | Key. 请求编号。 |" in text
    assert "| `thing_id` path | integer 1…9223372036854775807 |" in text
    assert "| `parts[].ok` | boolean | required · 必填 |" in text
    assert "Who may call · 谁可以调用: staff signed in as operator. 工作人员（operator）。" in text
    assert "Answers 204, empty · 返回 204，无内容" in text


def test_the_check_fails_when_the_file_is_old(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "FILE", tmp_path / "miniprogram_api.md")
    assert api.main(["--check"]) == 1
    assert api.main([]) == 0
    assert api.main(["--check"]) == 0
    api.FILE.write_text(TEXT.replace("GET /healthz", "GET /health"), encoding="utf-8")
    assert api.main(["--check"]) == 1


def section_of(route: Route) -> str:
    return TEXT.partition(f"### {named(route)}\n")[2].partition("\n### ")[0]
