"""The contract that a machine reads, and the page that a person reads."""

from __future__ import annotations

from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from server import texts
from server.errors import refusal_classes
from server.handlers.api import refusals_of
from server.handlers.openapi import document
from server.keys import ROUTES
from tests.handlers.platform import small_app
from tests.handlers.test_api_layer import routes


@pytest.fixture
async def client(aiohttp_client: Any) -> Any:
    return await aiohttp_client(small_app(routes))


async def test_the_document_is_valid_openapi_31(client: Any) -> None:
    response = await client.get("/openapi.json")
    described = await response.json()
    assert described["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(described).validate()


async def test_the_document_names_exactly_the_routes_of_the_router(client: Any) -> None:
    described = await (await client.get("/openapi.json")).json()
    documented = {
        (method.upper(), path) for path, methods in described["paths"].items() for method in methods
    }
    assert documented == {(route.method, route.resource.canonical) for route in client.app.router.routes()}


def test_inputs_answers_and_refusals_of_a_route_are_described() -> None:
    described = document(routes.declared)
    operation = described["paths"]["/things/{thing_id}/payments"]["post"]
    assert {(one["name"], one["in"], one["required"]) for one in operation["parameters"]} == {
        ("thing_id", "path", True),
        ("Idempotency-Key", "header", True),
    }
    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = described["components"]["schemas"][body]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["amount_fen"] | {"description": ""} == {
        "description": "",
        "maximum": 10**15,
        "minimum": 0,
        "title": "Amount Fen",
        "type": "integer",
    }
    assert {"201", "202", "400", "401", "403", "404", "408", "413", "415", "422", "500", "503"} == set(
        operation["responses"]
    )
    assert codes(described, operation, 401) == ["access_token_expired", "not_signed_in", "session_ended"]
    assert operation["security"] == [{"bearer": []}]
    assert described["paths"]["/bare"]["post"]["security"] == []


def test_what_routes_refuse_alike_is_written_once() -> None:
    described = document(routes.declared)
    operations = [one for methods in described["paths"].values() for one in methods.values()]
    refused = [
        (route, operation, int(status))
        for route, operation in zip(routes.declared, operations, strict=True)
        for status, response in operation["responses"].items()
        if "$ref" in response
    ]
    shared = described["components"]["responses"]
    assert len(refused) > 2 * len(shared) > 0
    for route, operation, status in refused:
        mine = {refusal.code for refusal in refusals_of(route) if refusal.status == status}
        assert codes(described, operation, status) == sorted(mine)


def codes(described: Any, operation: Any, status: int) -> list[str]:
    """The codes of refusals with which an operation may answer."""
    response = operation["responses"][str(status)]
    if "$ref" in response:
        response = described["components"]["responses"][response["$ref"].rpartition("/")[2]]
    narrowed = response["content"]["application/problem+json"]["schema"]["allOf"][1]
    said: list[str] = narrowed["properties"]["code"]["enum"]
    return said


def test_a_schema_with_a_broken_reference_would_not_pass() -> None:
    described = document(routes.declared)
    described["paths"]["/things"]["get"]["responses"] = {"200": {}}
    with pytest.raises(Exception, match="description"):
        OpenAPIV31SpecValidator(described).validate()


class Page(HTMLParser):
    """Collects what a page defines, links to and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"]] if values.get("id") else []
        self.links += [values["href"]] if tag == "a" and values.get("href") else []
        self.loads += [tag] if tag in {"script", "img", "link", "iframe"} or "src" in values else []


async def test_the_page_is_self_contained_and_every_link_leads_somewhere(client: Any) -> None:
    response = await client.get("/docs")
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src")
    page = Page(await response.text())
    assert page.loads == []
    assert len(page.ids) == len(set(page.ids))
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {"/openapi.json"}


async def test_the_page_names_every_route_and_explains_every_code_that_an_answer_links_to(
    client: Any,
) -> None:
    text = await (await client.get("/docs")).text()
    ids = set(Page(text).ids)
    for route in client.app[ROUTES].values():
        assert f"{route.method} {route.path}" in text
        assert {refusal.code for refusal in refusals_of(route)} <= ids


def test_every_refusal_of_the_http_layer_has_its_sentence() -> None:
    ours = [refusal for refusal in refusal_classes() if refusal.__module__.startswith("server.handlers")]
    assert {refusal.code for refusal in ours} <= texts.REFUSALS.keys()


def test_a_missing_a_superfluous_and_a_doubtful_sentence_are_all_named() -> None:
    some = next(iter(refusal_classes()))
    # No refusals in earnest: every application made by a later test would find them.
    new: Any = SimpleNamespace(code="brand_new", status=418)
    twin: Any = SimpleNamespace(code=some.code, status=599)
    with pytest.raises(texts.TextsIncomplete) as caught:
        texts.check_complete([some, new, twin])
    said = str(caught.value)
    assert "no sentence for brand_new" in said
    assert "no refusal for json_malformed" in said
    assert f"{some.code} has statuses" in said
    assert "no title for status 418" in said
