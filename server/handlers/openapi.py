"""OpenAPI: the contract as a machine reads it, made from the declared routes and nothing else."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server import texts
from server.handlers import docs_page
from server.handlers.api import PUBLIC, Answer, Media, Route, Routes, refusals_of
from server.handlers.problems import CONTENT_TYPE, OVERLOADED, Problem
from server.keys import ROUTES

API_VERSION = "1.0.0"
OPENAPI_VERSION = "3.1.0"
_REFERENCE = "#/components/schemas/{model}"
_SHARED = "#/components/responses/{name}"
_BEARER = "bearer"

Mode = Literal["validation", "serialization"]
Schemas = Mapping[Any, dict[str, Any]]
"""Schemas by (model, mode)."""
Shared = dict[str, dict[str, Any]]
"""Responses by name: what many routes refuse alike is written once, and the document is far shorter."""

routes = Routes("documents")


@routes.get(
    "/openapi.json",
    summary="This contract as an OpenAPI 3.1 document. | 接口约定（OpenAPI 3.1）。",
    access=PUBLIC,
    answers={200: Media("application/json", "The document. | 约定文档。")},
)
async def openapi_json(request: web.Request) -> web.Response:
    documents = await _documents(request)
    return web.Response(body=documents.openapi, headers={"Content-Type": "application/json"})


@routes.get(
    "/docs",
    summary="This contract as a page to read. | 接口约定的网页版。",
    access=PUBLIC,
    answers={200: Media("text/html", "The page. | 网页。")},
)
async def docs(request: web.Request) -> web.Response:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": docs_page.CONTENT_SECURITY_POLICY,
    }
    documents = await _documents(request)
    return web.Response(body=documents.page, headers=headers)


def publish(app: web.Application) -> None:
    """Add the two routes above, which describe everything there is; the last of the wiring."""
    routes.add_to(app)


async def _documents(request: web.Request) -> docs_page.Documents:
    """Both documents, written when somebody first asks: no server waits for them at its start."""
    declared = tuple(request.app[ROUTES].values())
    for model, _ in _models(declared):
        # Models are built where they are used, on the loop: here a few at a time, so that nobody waits.
        if not model.__pydantic_complete__:
            model.model_rebuild()
            await asyncio.sleep(0)
    return await asyncio.to_thread(_written, declared)


@lru_cache(maxsize=8)
def _written(declared: tuple[Route, ...]) -> docs_page.Documents:
    """Both documents. They take a second to write, and the same routes always give the same two."""
    described = document(declared)
    return docs_page.Documents(
        openapi=orjson.dumps(described), page=docs_page.render(declared, described).encode()
    )


def document(declared: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the routes, as plain data."""
    declared = list(declared)
    schemas, definitions = models_json_schema(list(_models(declared)), ref_template=_REFERENCE)
    components = definitions.get("$defs", {})
    shared: Shared = {}
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in declared:
        paths[route.path][route.method.lower()] = _operation(route, schemas, components, shared)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": texts.API_TITLE,
            "version": API_VERSION,
            "description": texts.API_DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(paths),
        "components": {
            "schemas": components,
            "responses": dict(sorted(shared.items())),
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def models_of(route: Route) -> Iterator[tuple[type[BaseModel], Mode]]:
    """Every model that a route takes or answers."""
    for model in (route.path_model, route.query_model, route.headers_model, route.body_model):
        if model is not None:
            yield model, "validation"
    for answer in route.answers.values():
        if isinstance(answer, type):
            yield answer, "serialization"


def _models(declared: Iterable[Route]) -> Iterator[tuple[type[BaseModel], Mode]]:
    yield from dict.fromkeys(model for route in declared for model in models_of(route))
    yield Problem, "serialization"


def _operation(
    route: Route, schemas: Schemas, components: Mapping[str, Any], shared: Shared
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.tag}_{route.handler.__name__}",
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": list(_parameters(route, schemas, components)),
        "responses": _responses(route, schemas, shared),
        "security": [] if route.access.is_public else [{_BEARER: []}],
        "x-access": {"kinds": sorted(route.access.kinds), "roles": sorted(route.access.roles)},
    }
    if route.body_model is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[route.body_model, "validation"]}},
        }
    if route.receives is not None:
        operation["requestBody"] = {
            "required": True,
            "description": route.receives.description,
            "content": {kind: {} for kind in route.receives.content_type.split(", ")},
        }
    return operation


def _parameters(route: Route, schemas: Schemas, components: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    parts = (("path", route.path_model), ("query", route.query_model), ("header", route.headers_model))
    for place, model in parts:
        if model is None:
            continue
        reference = schemas[model, "validation"]["$ref"]
        schema = components[reference.rpartition("/")[2]]
        required = set(schema.get("required", ()))
        for name, described in schema["properties"].items():
            inner = {key: value for key, value in described.items() if key != "description"}
            yield {
                "name": name,
                "in": place,
                "required": name in required,
                "description": described.get("description", ""),
                "schema": inner,
            }


def _responses(route: Route, schemas: Schemas, shared: Shared) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answer in route.answers.items():
        responses[str(status)] = _answer(status, answer, schemas)
    by_status: dict[int, list[str]] = defaultdict(list)
    for refusal in refusals_of(route):
        by_status[refusal.status].append(refusal.code)
    for status, codes in sorted(by_status.items()):
        problem = _problem(status, codes, schemas)
        if str(status) in responses:
            responses[str(status)]["content"].update(problem["content"])
        else:
            name = _name_of(status, codes)
            shared[name] = problem
            responses[str(status)] = {"$ref": _SHARED.format(name=name)}
    return responses


def _name_of(status: int, codes: list[str]) -> str:
    """One name for each set of refusals; it does not change with those of other routes."""
    said = " ".join(sorted(set(codes)))
    return f"Refused{status}_{sha256(said.encode()).hexdigest()[:12]}"


def _answer(status: int, answer: type[Answer] | Media | None, schemas: Schemas) -> dict[str, Any]:
    if answer is None:
        return {"description": f"Done ({status}), nothing to say."}
    if isinstance(answer, Media):
        kinds = answer.content_type.split(", ")
        return {"description": answer.description, "content": {kind: {} for kind in kinds}}
    return {
        "description": (answer.__doc__ or answer.__name__).strip().partition("\n")[0],
        "content": {"application/json": {"schema": schemas[answer, "serialization"]}},
    }


def _problem(status: int, codes: list[str], schemas: Schemas) -> dict[str, Any]:
    codes = sorted(set(codes))
    narrowed = {"properties": {"code": {"enum": codes}, "status": {"const": status}}}
    described: dict[str, Any] = {
        "description": f"{texts.STATUS_TITLES[status]}: {', '.join(codes)}",
        "content": {CONTENT_TYPE: {"schema": {"allOf": [schemas[Problem, "serialization"], narrowed]}}},
    }
    if status in OVERLOADED:
        described["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
        }
    return described
