"""The API layer: a route says what it takes, who may call it, what it answers and how it refuses.

Declaring a route
-----------------
::

    routes = Routes("rounds")                      # one per module; app adds it: routes.add_to(app)

    class RoundPath(Path):
        round_id: Id = Field(description="The round. | 批次编号。")

    class TopUp(Body):
        amount_fen: Fen = Field(description="Money added, in fen. | 追加金额，单位分。", examples=[100_000])

    class RoundView(Answer):
        round_id: int = Field(description="The round. | 批次编号。")

    @routes.post(
        "/api/v1/rounds/{round_id}/top-ups",
        summary="Add money to a round. | 给批次追加资金。",
        access=staff(StaffRole.OPERATOR),
        answers={201: RoundView},
        refusals=(RoundClosed,),
    )
    async def top_up(request: web.Request, actor: Actor, path: RoundPath, body: TopUp) -> RoundView:
        round = await rounds.top_up(path.round_id, body.amount_fen, actor=actor, now=now_of(request))
        return RoundView(round_id=round.id)

- What a handler takes is read from its annotations: a ``Path``, ``Query``, ``Headers`` or ``Body``
  (see ``parsing``), and an ``actor`` wherever the access is not ``PUBLIC``. The order is: who asks,
  then what they ask; all faults of one part come back together.
- What it returns is an ``Answer``; its class decides the status. ``Reply`` adds headers, ``None`` is 204.
- A refusal is raised anywhere below and becomes ``application/problem+json`` in ``middlewares``. In
  test mode a refusal that is not declared (nor a parent of it), or comes without a value that its
  sentence names, is an error.
- English and Chinese stand side by side in summaries and field descriptions, divided by ``" | "``.
- Of two requests that wait for each other's rows, the database ends one. It did nothing, so it is asked
  again here, ``TRIES_IN_A_RING`` times in all, before its caller hears ``service_unavailable``.
- ``routes.bare`` registers a raw aiohttp handler for the hot path: it is described like any other and
  does its own identification and parsing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar, get_type_hints

import structlog
from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict

from server.errors import Refusal
from server.handlers.outages import GAVE_WAY
from server.handlers.parsing import (
    BODY_REFUSALS,
    Body,
    Headers,
    Path,
    Query,
    body_parser,
    headers_parser,
    path_parser,
    query_parser,
)
from server.handlers.problems import InternalError, Malformed, ServiceUnavailable
from server.keys import IDENTIFY, ROUTES
from server.services.access import (
    AUDITED,
    DECIDERS,
    Actor,
    NotAllowed,
    NotFound,
    NotSignedIn,
    SessionEnded,
    StaffRole,
)
from server.services.accounts.tokens import AccessTokenExpired

log = structlog.get_logger("server.http")

TRIES_IN_A_RING = 3
_VARIABLE = re.compile(r"{(\w+)}")
JSON_HEADERS: dict[str, str] = {hdrs.CONTENT_TYPE: "application/json"}

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Handler = TypeVar("_Handler", bound=Callable[..., Awaitable[Any]])


class Answer(BaseModel):
    """The JSON object of a successful answer. Unset values are ``null``, never left out."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is not JSON: the handler returns a response of its own."""

    content_type: str
    description: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with headers of its own, for example ``Retry-After``."""

    answer: Answer
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a route: which kinds of actor, and which of their roles (none named: any).

    ``any_person``: the roles are asked of staff alone. What the operator or the authority may read, an
    auditor may: :meth:`Routes.route` adds that role to a GET.
    """

    kinds: frozenset[str]
    roles: frozenset[str] = frozenset()
    any_person: bool = False

    @property
    def is_public(self) -> bool:
        return not self.kinds

    def admits(self, actor: Actor) -> bool:
        if actor.kind not in self.kinds:
            return False
        if not self.roles or (self.any_person and actor.kind == "person"):
            return True
        return not self.roles.isdisjoint(actor.roles)


PUBLIC = Access(frozenset())
SIGNED_IN = Access(frozenset({"person", "staff"}))
PERSON = Access(frozenset({"person"}))


def person(*roles: str) -> Access:
    """Persons with at least one of the roles in their enterprise."""
    return Access(frozenset({"person"}), frozenset(roles))


def staff(*roles: str) -> Access:
    """Members of staff with at least one of the roles (none named: any member of staff)."""
    return Access(frozenset({"staff"}), frozenset(roles))


def person_or_staff(*roles: str) -> Access:
    """Any person, each for their own organisation, and members of staff with at least one of the roles."""
    return Access(frozenset({"person", "staff"}), frozenset(roles), any_person=True)


WORKING = person_or_staff(*DECIDERS)
"""Any person, and the official side but for who only reads or only keeps accounts."""


@dataclass(frozen=True, eq=False)
class Route:
    """A declared route: enough to serve it, to describe it and to test it."""

    method: str
    path: str
    summary: str
    access: Access
    handler: Callable[..., Awaitable[Any]]
    answers: Mapping[int, type[Answer] | Media | None]
    refusals: tuple[type[Refusal], ...]
    tag: str
    path_model: type[Path] | None = None
    query_model: type[Query] | None = None
    headers_model: type[Headers] | None = None
    body_model: type[Body] | None = None
    is_bare: bool = False
    receives: Media | None = None
    """A body that is not JSON: the handler reads it piece by piece (see ``streams``)."""
    is_quiet: bool = False
    """No log line a request: the metrics count it."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the handler calls each of its inputs, by ``path``, ``query``, ``headers``, ``body``."""


class RouteMistake(Exception):
    """A declaration that cannot be served; raised while the module is imported."""


def both(text: str) -> tuple[str, str]:
    """The English and the Chinese half of a description; raises :class:`RouteMistake` without both."""
    english, bar, chinese = text.partition(" | ")
    if not (bar and english.strip() and chinese.strip()):
        raise RouteMistake(f"{text!r} must say it in English and Chinese, divided by ' | '")
    return english.strip(), chinese.strip()


class Routes:
    """The routes of one module, collected while it is imported."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.declared: list[Route] = []

    def get(self, path: str, **declaration: Any) -> Callable[[_Handler], _Handler]:
        return self.route(hdrs.METH_GET, path, **declaration)

    def post(self, path: str, **declaration: Any) -> Callable[[_Handler], _Handler]:
        return self.route(hdrs.METH_POST, path, **declaration)

    def head(self, path: str, **declaration: Any) -> Callable[[_Handler], _Handler]:
        return self.route(hdrs.METH_HEAD, path, **declaration)

    def put(self, path: str, **declaration: Any) -> Callable[[_Handler], _Handler]:
        return self.route(hdrs.METH_PUT, path, **declaration)

    def patch(self, path: str, **declaration: Any) -> Callable[[_Handler], _Handler]:
        return self.route(hdrs.METH_PATCH, path, **declaration)

    def delete(self, path: str, **declaration: Any) -> Callable[[_Handler], _Handler]:
        return self.route(hdrs.METH_DELETE, path, **declaration)

    def route(
        self,
        method: str,
        path: str,
        *,
        summary: str,
        access: Access,
        answers: Mapping[int, type[Answer] | Media | None],
        refusals: tuple[type[Refusal], ...] = (),
        receives: Media | None = None,
        quiet: bool = False,
    ) -> Callable[[_Handler], _Handler]:
        """Declare a handler whose inputs are read from its annotations."""

        def declare(handler: _Handler) -> _Handler:
            models, names = _inputs(handler)
            self._add(
                Route(
                    method=method,
                    path=path,
                    summary=summary,
                    access=access,
                    handler=handler,
                    answers=dict(answers),
                    refusals=refusals,
                    tag=self.tag,
                    names=names,
                    receives=receives,
                    is_quiet=quiet,
                    **models,
                )
            )
            return handler

        return declare

    def bare(
        self,
        method: str,
        path: str,
        *,
        summary: str,
        access: Access,
        answers: Mapping[int, type[Answer] | Media | None],
        refusals: tuple[type[Refusal], ...] = (),
        path_model: type[Path] | None = None,
        query_model: type[Query] | None = None,
        headers_model: type[Headers] | None = None,
        receives: Media | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a raw handler: it identifies, parses and renders by itself, as declared here."""

        def declare(handler: Endpoint) -> Endpoint:
            self._add(
                Route(
                    method=method,
                    path=path,
                    summary=summary,
                    access=access,
                    handler=handler,
                    answers=dict(answers),
                    refusals=refusals,
                    tag=self.tag,
                    path_model=path_model,
                    query_model=query_model,
                    headers_model=headers_model,
                    receives=receives,
                    is_bare=True,
                    is_quiet=True,
                )
            )
            return handler

        return declare

    def add_to(self, app: web.Application) -> None:
        """Serve every declared route; only the declared methods exist (no implicit HEAD)."""
        table = app.setdefault(ROUTES, {})
        for route in self.declared:
            endpoint = route.handler if route.is_bare else _endpoint(route)
            app.router.add_route(route.method, route.path, endpoint)
            table[endpoint] = route

    def _add(self, route: Route) -> None:
        both(route.summary)
        names = set(_VARIABLE.findall(route.path))
        declared = set(route.path_model.model_fields) if route.path_model else set()
        if names != declared:
            raise RouteMistake(f"{route.path}: the path names {sorted(names)}, the model {sorted(declared)}")
        if route.method == hdrs.METH_GET and not AUDITED.isdisjoint(route.access.roles):
            audited = replace(route.access, roles=route.access.roles | {StaffRole.AUDITOR})
            route = replace(route, access=audited)
        self.declared.append(route)


def refusals_of(route: Route) -> tuple[type[Refusal], ...]:
    """Everything a route may answer instead of what was asked: its own refusals and the layer's."""
    layer: list[type[Refusal]] = []
    if not route.access.is_public:
        layer += [NotSignedIn, AccessTokenExpired, SessionEnded, NotAllowed]
    if route.path_model or _names_a_programme(route):
        layer.append(NotFound)
    if route.body_model:
        layer += BODY_REFUSALS
    elif route.query_model or route.headers_model:
        layer.append(Malformed)
    layer += [ServiceUnavailable, InternalError]
    return tuple(dict.fromkeys((*route.refusals, *layer)))


def _names_a_programme(route: Route) -> bool:
    """Whether staff of other programmes may be told that there is no such thing."""
    models = (route.query_model, route.body_model)
    return "staff" in route.access.kinds and any(
        model is not None and "programme" in model.model_fields for model in models
    )


def json_response(
    answer: Answer, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer as JSON; for bare handlers and :class:`Reply`."""
    body = answer.__pydantic_serializer__.to_json(answer)
    return web.Response(body=body, status=status, headers={**JSON_HEADERS, **(headers or {})})


# -- from a declaration to an endpoint -------------------------------------------------------------

_PARTS: Mapping[type[BaseModel], str] = {Path: "path", Query: "query", Headers: "headers", Body: "body"}


def _inputs(handler: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The input models of a handler, as fields of :class:`Route`, and what it calls them."""
    hints = get_type_hints(handler)
    models: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name in list(inspect.signature(handler).parameters)[1:]:
        if name == "actor":
            names["actor"] = name
            continue
        part = next((part for base, part in _PARTS.items() if issubclass(hints[name], base)), None)
        if part is None or part in names:
            raise RouteMistake(f"{handler.__qualname__}: cannot tell where {name!r} comes from")
        models[f"{part}_model"] = hints[name]
        names[part] = name
    return models, names


@cache
def _endpoint(route: Route) -> Endpoint:
    """Everything that can be decided before the first request is decided here, once for each route."""
    handler = route.handler
    names = route.names
    takes_actor = "actor" in names
    if takes_actor and route.access.is_public:
        raise RouteMistake(f"{route.path} is public, so nobody is identified as its actor")
    identified = not route.access.is_public
    admits = route.access.admits
    parsers = [
        (names[part], make(model))
        for part, make, model in (
            ("path", path_parser, route.path_model),
            ("query", query_parser, route.query_model),
            ("headers", headers_parser, route.headers_model),
        )
        if model is not None
    ]
    body_name = names.get("body", "")
    parse_body = body_parser(route.body_model) if route.body_model else None
    render = _renderer(route)

    async def endpoint(request: web.Request) -> web.StreamResponse:
        inputs: dict[str, Any] = {}
        if identified:
            actor = await request.app[IDENTIFY](request)
            if not admits(actor):
                raise NotAllowed()
            if takes_actor:
                inputs["actor"] = actor
        for name, parse in parsers:
            inputs[name] = parse(request)
        if parse_body is not None:
            inputs[body_name] = await parse_body(request)
        for _ in range(TRIES_IN_A_RING - 1):
            try:
                return render(await handler(request, **inputs))
            except GAVE_WAY as fault:
                if parse_body is None and request.body_exists:
                    raise  # The handler has read from the wire, and nothing is there a second time.
                log.warning("gave way in a ring, once more", route=route.path, fault=type(fault).__name__)
        return render(await handler(request, **inputs))

    return endpoint


def _renderer(route: Route) -> Callable[[Any], web.StreamResponse]:
    statuses = {answer: status for status, answer in route.answers.items() if isinstance(answer, type)}
    if len(statuses) != sum(isinstance(answer, type) for answer in route.answers.values()):
        raise RouteMistake(f"{route.path} answers two statuses with one class")
    empty = next((status for status, answer in route.answers.items() if answer is None), None)

    def render(result: Any) -> web.StreamResponse:
        if isinstance(result, Answer):
            return json_response(result, statuses[type(result)])
        if isinstance(result, Reply):
            return json_response(result.answer, statuses[type(result.answer)], result.headers)
        if result is None and empty is not None:
            return web.Response(status=empty)
        if isinstance(result, web.StreamResponse):
            return result
        raise TypeError(
            f"{route.method} {route.path} returned {type(result).__name__}, which it does not declare"
        )

    return render
