"""Parsing: what arrives as text and bytes becomes typed values, or a refusal with every fault."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
from aiohttp import ClientPayloadError, web
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from server import texts
from server.clock import EARLIEST, LATEST
from server.errors import Refusal
from server.handlers.problems import Fault, Malformed
from server.keys import SETTINGS
from server.services.access import NotFound

LARGEST_WHOLE = 2**63 - 1
LARGEST_FEN = 10**15
"""Ten trillion yuan: more than any budget, and exact in a JavaScript number."""
DEEPEST = 32
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_QUOTED = re.compile(r"'([^']*)'")
# U+0000 cannot be stored as PostgreSQL text, half a surrogate pair is no character, no list or paper holds
# a control character, and what turns the direction of writing shows a reviewer another text than is stored.
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class NotJson(Refusal):
    """The body is not announced as JSON in UTF-8."""

    status, code = 415, "not_json"


class BodyTooLarge(Refusal):
    """More bytes than the limit, announced or found while counting."""

    status, code = 413, "body_too_large"


class BodyTooSlow(Refusal):
    """The body did not arrive in time."""

    status, code = 408, "body_too_slow"


class BodyIncomplete(Refusal):
    """The body broke off."""

    status, code = 400, "body_incomplete"


class JsonMalformed(Refusal):
    """Not JSON, or not UTF-8."""

    status, code = 400, "json_malformed"


class JsonNotAnObject(Refusal):
    """JSON, but a list, text or number at the top."""

    status, code = 400, "json_not_an_object"


class JsonDuplicateKey(Refusal):
    """One key twice: readers disagree on which counts, so none does."""

    status, code = 400, "json_duplicate_key"


class JsonNumberUnusable(Refusal):
    """NaN, Infinity, or a number beyond 64 bits."""

    status, code = 400, "json_number_unusable"


class JsonTextUnusable(Refusal):
    """A text with a control character, half a surrogate pair, or a turn of the direction of writing."""

    status, code = 400, "json_text_unusable"


class JsonTooDeep(Refusal):
    """Nested deeper than any request of ours needs."""

    status, code = 400, "json_too_deep"


BODY_REFUSALS: tuple[type[Refusal], ...] = (
    NotJson,
    BodyTooLarge,
    BodyTooSlow,
    BodyIncomplete,
    JsonMalformed,
    JsonNotAnObject,
    JsonDuplicateKey,
    JsonNumberUnusable,
    JsonTextUnusable,
    JsonTooDeep,
    Malformed,
)


class _Input(BaseModel):
    # strict: "12" is not 12 in JSON. extra: an unknown field is a misunderstanding, not decoration.
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", populate_by_name=True, defer_build=True
    )


class Path(_Input):
    """The variable parts of a route's path. What does not fit names nothing: 404."""


class Query(_Input):
    """The query string. Unknown and repeated names are refused."""


class Headers(_Input):
    """The headers a route reads; give each field the header's name as ``alias``. Others are ignored."""


class Body(_Input):
    """A JSON body."""


def _whole_fen(value: object) -> object:
    if type(value) is int:
        if value < 0:
            raise PydanticCustomError("money_negative", "negative")
        if value > LARGEST_FEN:
            raise PydanticCustomError("money_too_large", "too large")
        return value
    if type(value) is float:
        raise PydanticCustomError("money_fractional", "not a whole number of fen")
    raise PydanticCustomError("money_not_a_number", "not a number")


Fen = Annotated[int, Field(ge=0, le=LARGEST_FEN), BeforeValidator(_whole_fen)]
"""Money in a body: a whole number of fen, from nothing to :data:`LARGEST_FEN`."""

Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
"""A day in a body or a query, from :data:`EARLIEST` to :data:`LATEST`."""

Instant = Annotated[
    AwareDatetime,
    Field(
        ge=datetime.combine(EARLIEST, datetime.min.time(), UTC),
        le=datetime.combine(LATEST, datetime.min.time(), UTC),
    ),
]
"""An instant in a body, with its time zone, within the same bounds."""

Id = Annotated[int, Field(ge=1, le=LARGEST_WHOLE)]
"""The id of a row."""

SeenVersion = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="The version that was seen. | 所见版本号。")
]
"""What a change rests on: if the row has moved on since, the change is refused."""

_Model = TypeVar("_Model", bound=BaseModel)
Parser = Callable[[web.Request], BaseModel]


# -- path, query, headers --------------------------------------------------------------------------


def path_parser(model: type[_Model]) -> Callable[[web.Request], _Model]:
    """Types the variable parts of the path; raises ``NotFound``."""
    """Reads ``model`` from the path; a path that does not fit names nothing, so it is not found."""
    whole = _whole_fields(model)

    def parse(request: web.Request) -> _Model:
        try:
            return _from_strings(model, request.match_info, whole)
        except Malformed:
            raise NotFound() from None

    return parse


def query_parser(model: type[_Model]) -> Callable[[web.Request], _Model]:
    """Types the query string; raises :class:`Malformed`."""
    """Reads ``model`` from the query; a repeated name is a fault."""
    whole = _whole_fields(model)

    def parse(request: web.Request) -> _Model:
        query = request.query
        given = dict(query)
        if len(given) != len(query):
            repeated = sorted(name for name in given if len(query.getall(name)) > 1)
            raise Malformed([_fault(name, "repeated", {}) for name in repeated])
        return _from_strings(model, given, whole)

    return parse


def headers_parser(model: type[_Model]) -> Callable[[web.Request], _Model]:
    """Types the headers that the model names; raises :class:`Malformed`."""
    """Reads ``model`` from the headers that it names; others are not its business."""
    whole = _whole_fields(model)
    names = tuple(field.alias or name for name, field in model.model_fields.items())

    def parse(request: web.Request) -> _Model:
        headers = request.headers
        return _from_strings(model, {name: headers[name] for name in names if name in headers}, whole)

    return parse


def _whole_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields, by the name on the wire, that are whole numbers."""
    return tuple(
        field.alias or name
        for name, field in model.model_fields.items()
        if field.annotation in (int, int | None)
    )


def _from_strings(model: type[_Model], given: Mapping[str, str], whole: Iterable[str]) -> _Model:
    # pydantic would read 1_000, +5 and " 5 " as numbers; one number has one spelling here.
    faults = [
        _fault(name, "int_parsing", {})
        for name in whole
        if name in given and not (_WHOLE.fullmatch(given[name]) and abs(int(given[name])) <= LARGEST_WHOLE)
    ]
    faults += [
        _fault(name, "other", {})
        for name, text in given.items()
        if _UNUSABLE.search(text) and name not in whole
    ]
    if faults:
        raise Malformed(faults)
    try:
        return model.model_validate_strings(given, by_alias=True, by_name=False)
    except ValidationError as invalid:
        raise Malformed(_faults(invalid)) from None


# -- bodies ----------------------------------------------------------------------------------------


async def read_body(request: web.Request, limit: int, seconds: float) -> bytes:
    """The body, counted as it arrives: ``Content-Length`` is only what the sender claims.

    Raises :class:`BodyTooLarge`, :class:`BodyTooSlow`, :class:`BodyIncomplete`.
    """
    if (request.content_length or 0) > limit:
        raise BodyTooLarge(limit_bytes=limit)
    collected = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while chunk := await request.content.readany():
                collected += chunk
                if len(collected) > limit:
                    raise BodyTooLarge(limit_bytes=limit)
    except TimeoutError:
        raise BodyTooSlow() from None
    except (ClientPayloadError, ConnectionError, web.HTTPException):
        raise BodyIncomplete() from None
    except web.RequestPayloadError:
        raise BodyIncomplete() from None
    return bytes(collected)


def parse_json_object(raw: bytes) -> dict[str, Any]:
    """A JSON object that means one thing to every reader, or the refusal that says why not.

    A number written ``75.0`` is the whole number 75, as JSON Schema has it.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise JsonTooDeep() from None
    except ValueError:
        raise JsonMalformed() from None
    if not isinstance(value, dict):
        raise JsonNotAnObject()
    _require_usable(value, DEEPEST)
    return value


def body_parser(model: type[_Model]) -> Callable[[web.Request], Any]:
    """Reads, checks and types the JSON body of a request."""

    async def parse(request: web.Request) -> _Model:
        if request.content_type != "application/json" or (request.charset or "utf-8").lower() != "utf-8":
            raise NotJson()
        settings = request.app[SETTINGS]
        value = parse_json_object(await read_body(request, settings.max_body_bytes, settings.body_seconds))
        try:
            return model.model_validate_json(orjson.dumps(value), by_alias=True, by_name=False)
        except ValidationError as invalid:
            raise Malformed(_faults(invalid)) from None

    return parse


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    collected = dict(pairs)
    if len(collected) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise JsonDuplicateKey(field=_shown(twice))
    return collected


def _integer(text: str) -> int:
    # Length first: int() of a million digits would hold up everybody else.
    if len(text) > 20 or abs(value := int(text)) > LARGEST_WHOLE:
        raise JsonNumberUnusable()
    return value


def _number(text: str) -> int | float:
    value = float(text)
    if abs(value) > LARGEST_WHOLE:
        raise JsonNumberUnusable()
    return int(value) if value.is_integer() else value


def _no_constant(_text: str) -> NoReturn:
    raise JsonNumberUnusable()


def _require_usable(value: object, levels: int) -> None:
    if isinstance(value, str):
        if _UNUSABLE.search(value):
            raise JsonTextUnusable()
        return
    if not levels and isinstance(value, dict | list):
        raise JsonTooDeep()
    if isinstance(value, dict):
        for key, inner in value.items():
            _require_usable(key, levels - 1)
            _require_usable(inner, levels - 1)
    elif isinstance(value, list):
        for inner in value:
            _require_usable(inner, levels - 1)


# -- faults ----------------------------------------------------------------------------------------


def _faults(invalid: ValidationError) -> list[Fault]:
    return [_fault_of(detail) for detail in invalid.errors(include_url=False, include_input=False)]


def _fault_of(detail: ErrorDetails) -> Fault:
    field = ".".join(str(step) for step in detail["loc"])
    return _fault(field, detail["type"], detail.get("ctx", {}))


def _fault(field: str, code: str, context: Mapping[str, object]) -> Fault:
    known = code if code in texts.FAULTS else "other"
    if "expected" in context:
        # In English, between quotation marks, and for members of an enum as Python writes them.
        context = {**context, "expected": texts.LIST.join(_QUOTED.findall(str(context["expected"])))}
    return Fault(field=_shown(field), code=known, problem=texts.FAULTS[known].format_map(context))


def _shown(name: str) -> str:
    """A name that the sender chose, short and printable enough to be said back."""
    return _UNUSABLE.sub("?", name)[:60]
