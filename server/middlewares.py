"""The middleware: what every request gets, whichever handler answers it.

A request id, the security headers, a place in the metrics, and for everything that goes wrong an
``application/problem+json``: a refusal as itself, an absent database or Redis as 503, anything
unexpected as a 500 that says nothing but the request id.
"""

from __future__ import annotations

from random import Random
from time import perf_counter
from typing import Any

import structlog
from aiohttp import hdrs, web

from server import logs
from server.errors import Refusal
from server.handlers.api import Route, refusals_of
from server.handlers.outages import is_outage
from server.handlers.parsing import BodyTooLarge
from server.handlers.problems import (
    InternalError,
    MethodNotAllowed,
    NoSuchAddress,
    RequestUnusable,
    ServiceUnavailable,
    problem_response,
    unsaid,
)
from server.handlers.wire import COMMON_HEADERS, WireAnswer
from server.keys import REQUEST_ID, ROUTES
from server.metrics import Metrics
from server.settings import Settings

REQUEST_ID_HEADER = "X-Request-Id"
OUTAGE_RETRY_SECONDS = 2
UNKNOWN_ROUTE = "unknown"

SECURITY_HEADERS = {
    **COMMON_HEADERS,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

# Crockford's alphabet: no I, L, O or U, so what is read aloud is written down right.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)

log = structlog.get_logger("server.http")


def new_request_id(random: Random) -> str:
    """Eight letters, short enough to read to a hotline: 40 random bits."""
    bits = random.getrandbits(40)
    return _PAIRS[bits & 1023] + _PAIRS[bits >> 10 & 1023] + _PAIRS[bits >> 20 & 1023] + _PAIRS[bits >> 30]


def platform(settings: Settings, metrics: Metrics, random: Random | None = None) -> Any:
    """The one middleware of an application; ``random`` draws request ids and spreads retries."""
    random = random or Random()
    strict = settings.mode == "test"
    observers: dict[tuple[Any, int], Any] = {}

    def observer(endpoint: Any, route: Route | None, status: int) -> Any:
        method, path = (route.method, route.path) if route else ("", UNKNOWN_ROUTE)
        found = metrics.request_seconds.labels(method, path, str(status))
        # An unknown address has an endpoint of its own each time; keeping those would fill the memory.
        if route is not None:
            observers[endpoint, status] = found
        return found

    def refused(refusal: Refusal, route: Route | None, request_id: str) -> web.Response:
        metrics.refusals.labels(refusal.code).inc()
        if strict and route is not None:
            if not isinstance(refusal, refusals_of(route)):
                log.error("undeclared refusal", refusal=refusal.code, route=route.path)
                refusal = InternalError()
            elif missing := unsaid(refusal):
                log.error("refusal without its values", refusal=refusal.code, missing=missing)
                refusal = InternalError()
        return problem_response(refusal, request_id, random)

    def failed(fault: Exception, route: Route | None, request_id: str) -> web.Response:
        where = route.path if route else UNKNOWN_ROUTE
        if is_outage(fault):
            log.warning("outage", route=where, fault=type(fault).__name__)
            return refused(ServiceUnavailable(retry_after=OUTAGE_RETRY_SECONDS), route, request_id)
        log.error("unexpected", route=where, exc_info=fault)
        return refused(InternalError(), route, request_id)

    @web.middleware
    async def answer(request: web.Request, handler: Any) -> web.StreamResponse:
        started = perf_counter()
        request_id = new_request_id(random)
        request[REQUEST_ID] = request_id
        logs.REQUEST_ID.set(request_id)
        # The only middleware is handed the endpoint itself.
        route = request.app[ROUTES].get(handler)
        response: web.StreamResponse
        try:
            response = await handler(request)
        except Refusal as refusal:
            response = refused(refusal, route, request_id)
        except web.HTTPException as spoken:
            response = _of_aiohttp(spoken, request_id, random)
        # The last resort: whatever it is, the caller gets an answer.
        except Exception as fault:  # noqa: BLE001
            response = failed(fault, route, request_id)
        if not (isinstance(response, WireAnswer) or response.prepared):
            headers = response.headers
            headers[REQUEST_ID_HEADER] = request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        seconds = perf_counter() - started
        status = response.status
        (observers.get((handler, status)) or observer(handler, route, status)).observe(seconds)
        if route is None or not route.is_quiet:
            log.info(
                "request",
                method=request.method,
                route=route.path if route else UNKNOWN_ROUTE,
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )
        return response

    return answer


def _of_aiohttp(spoken: web.HTTPException, request_id: str, random: Random) -> web.StreamResponse:
    """aiohttp's own errors in our words; redirects stay what they are."""
    if isinstance(spoken, web.HTTPMove):
        return web.Response(status=spoken.status, headers={hdrs.LOCATION: str(spoken.location)})
    if isinstance(spoken, web.HTTPMethodNotAllowed):
        response = problem_response(MethodNotAllowed(), request_id, random)
        response.headers[hdrs.ALLOW] = ", ".join(sorted(spoken.allowed_methods))
        return response
    if spoken.status >= 500:
        refusal: Refusal = InternalError()
    elif isinstance(spoken, web.HTTPNotFound):
        refusal = NoSuchAddress()
    elif isinstance(spoken, web.HTTPRequestEntityTooLarge):
        refusal = BodyTooLarge(limit_bytes=int(getattr(spoken, "max_size", 0) or 0))
    else:
        refusal = RequestUnusable()
    return problem_response(refusal, request_id, random)


def runner_options(settings: Settings) -> dict[str, Any]:
    """What aiohttp's server is told (``web.AppRunner(app, **runner_options(settings))``).

    Lingering is short: after an answer to a body that was too large, the rest of it is not awaited
    for long. There is no access log; the middleware writes its own line.
    """
    return {
        "access_log": None,
        "keepalive_timeout": settings.keepalive_seconds,
        "lingering_time": 1.0,
        "max_line_size": settings.max_header_bytes,
        "max_field_size": settings.max_header_bytes,
    }
