"""Settings: everything an operator may choose, in one typed, frozen place.

Values come from the defaults below, then from an optional TOML file (``config/server.toml``, or the
path in ``QIQUAN_CONFIG``), then from the environment: field ``redis_url`` is ``QIQUAN_REDIS_URL``.
An unknown name is a typo and stops the start. The defaults carry demo secrets on purpose, and the
default mode is production, which refuses them: nobody runs unsafely by forgetting a line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import urlsplit

Mode = Literal["demo", "test", "production"]
TokenEndpoint = Literal["stable", "classic"]
CallbackMode = Literal["safe", "compatible", "plain"]

ENVIRONMENT_PREFIX = "QIQUAN_"
CONFIG_VARIABLE = "QIQUAN_CONFIG"
STAFF_PASSWORD_VARIABLE = "QIQUAN_STAFF_PASSWORD"
"""Read by ``staff create`` alone: a password is no setting, and is never kept with them."""
DEFAULT_FILE = Path("config/server.toml")

WECHAT_ADDRESS = "https://api.weixin.qq.com"
WECHAT_PAY_ADDRESS = "https://api.mch.weixin.qq.com"
WECHAT_PAY_SECRET_BYTES = 32
AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
"""An EncodingAESKey: 32 bytes in Base64 without its last sign; of the bits left over any may be set."""
CALLBACK_TOKEN = re.compile(r"[A-Za-z0-9]{3,32}")
SHORTEST_CALLBACK_TOKEN = 16
DEMO_SECRET = "demo-secret-known-to-everybody-never-in-production"
SHORTEST_KEY_BYTES = 32
LONGEST_KEY_ID = 32
KEYRINGS = frozenset({"jwt_keys", "data_keys"})
"""Settings that hold secrets by key id."""
CHOICES = frozenset({"mode", "wechat_token_endpoint", "wechat_callback_mode"})
"""Settings that are one of a few words."""
_SAMPLE_MARKS = ("demo", "example", "change-me", "secret-here")


class SettingsError(Exception):
    """A setting that cannot be used; the message is one sentence that names it."""


@dataclass(frozen=True)
class Settings:
    """What a server process is told. Secrets stay out of ``repr``, and so out of logs."""

    mode: Mode = "production"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    """Server processes that share the address; more than one needs PostgreSQL."""
    reuse_port: bool = False
    """Share the address with other processes; set by ``serve`` for the workers it starts."""
    trust_proxy: bool = False
    """Believe ``X-Forwarded-For`` and ``X-Forwarded-Proto``; only behind a proxy that sets them."""

    database_url: str = field(default="sqlite://var/qiquan.sqlite3", repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)

    public_url: str = ""
    """Where WeChat reaches this server, ``https://…``; empty: it is asked about no picture."""

    programmes_dir: Path = Path("config/programmes")
    notices_dir: Path = Path("config/notices")
    holidays_dir: Path = Path("config/holidays")
    run_jobs: bool = True
    """Whether this process runs the jobs of time passing; at least one of a database must."""
    evidence_dir: Path = Path("var/evidence")
    evidence_url: str = ""
    """An S3-compatible store (``s3://bucket/path``) instead of the directory; keys from ``AWS_…``."""
    uploads_dir: Path = Path("var/uploads")
    """Where files wait while they arrive; shared by all workers."""
    seal_keys_dir: Path = Path("var/seal_keys")
    """The Ed25519 keys that sign a day of the journal; the first is made when it is needed."""
    anchor_file: Path = Path("var/anchors/day_roots.jsonl")
    """Where each signed day's hash is kept outside of the database: best on a disk of somebody else's."""
    tsa_url: str = ""
    """A time-stamp authority (RFC 3161) that is asked once a day; empty: none."""
    tsa_ca_file: Path = Path("var/tsa/ca.pem")
    """The certificates that the authority's own must lead to, PEM."""
    chain_dock_url: str = ""
    """What puts a day's hash into a blockchain (``gateways/anchoring.py``: ``ChainDock``); empty: none."""

    jwt_keys: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({"demo": DEMO_SECRET}), repr=False
    )
    """Key id to HS256 secret. The FIRST one signs; all verify, so a key can be rotated."""
    receipt_key: str = field(default=DEMO_SECRET, repr=False)
    """HMAC key of grab receipts."""
    data_keys: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({"demo": DEMO_SECRET}), repr=False
    )
    """Key id to the secret that personal data is sealed with. The FIRST one seals; all open."""
    staff_totp_required: bool = True
    """Staff who decide or administer need a second factor; production does not start without it."""

    wechat_base_url: str = WECHAT_ADDRESS
    wechat_appid: str = ""
    wechat_secret: str = field(default="", repr=False)

    wechat_token_endpoint: TokenEndpoint = "stable"
    """Where access tokens come from. With "classic" nothing else may fetch tokens of these accounts."""

    wechat_oa_appid: str = ""
    """The official account that people write to; empty: only the mini-program's messages arrive."""
    wechat_oa_secret: str = field(default="", repr=False)
    wechat_callback_mode: CallbackMode = "safe"
    """As chosen in WeChat's console. Only the safe mode is served."""
    wechat_callback_token: str = field(default="", repr=False)
    """Signs what WeChat delivers, the same for both accounts; empty: there is no chat."""
    wechat_callback_aes_key: str = field(default="", repr=False)
    """The EncodingAESKey, 43 characters, the same for both accounts."""

    wechat_pay_base_url: str = WECHAT_PAY_ADDRESS
    wechat_pay_mchid: str = ""
    """The operator's merchant account at WeChat Pay; empty: money is paid by the bank alone."""
    wechat_pay_serial: str = ""
    """Serial number of the merchant's certificate."""
    wechat_pay_key_file: Path = Path("var/wechat_pay/merchant.pem")
    """The merchant's private key, PEM."""
    wechat_pay_platform_key_id: str = ""
    wechat_pay_platform_key_file: Path = Path("var/wechat_pay/platform.pem")
    """WeChat Pay's public key, PEM."""
    wechat_pay_secret: str = field(default="", repr=False)
    """The APIv3 key, 32 bytes."""
    wechat_pay_notify_url: str = ""
    """Where WeChat Pay reaches ``/api/v1/payments/wechat/callback``."""

    sms_url: str = ""
    """Where SMS are sent from; empty: none are sent."""
    sms_key: str = field(default="", repr=False)

    demo_login: bool = False
    demo_clocks: bool = False
    """Each programme runs under its own clock offset, inside its validity."""
    demo_anchor: str = ""
    """The day (ISO) on which each programme's clock showed its demo day; empty: today."""

    max_body_bytes: int = 65_536
    max_header_bytes: int = 8_190
    """The longest request line and the longest single header."""
    body_seconds: int = 10
    """The longest a request body may take to arrive."""
    keepalive_seconds: int = 75

    @property
    def is_production(self) -> bool:
        return self.mode == "production"


def load(environment: Mapping[str, str], *, file: Path | None = None) -> Settings:
    """Settings from ``file`` (or ``QIQUAN_CONFIG``, or ``config/server.toml`` where it exists).

    Raises :class:`SettingsError`: unknown name, wrong type, unreadable file.
    """
    named = file or (Path(environment[CONFIG_VARIABLE]) if CONFIG_VARIABLE in environment else None)
    values: dict[str, Any] = {}
    if named is not None or DEFAULT_FILE.exists():
        values |= _from_file(named or DEFAULT_FILE)
    values |= _from_environment(environment)
    return Settings(**values)


def refuse_unsafe(settings: Settings) -> list[str]:
    """One sentence for each thing that forbids this start; empty when it may go ahead."""
    faults = list(_unworkable(settings))
    if settings.is_production:
        faults += _unsafe_in_production(settings)
    return faults


def is_sqlite(database_url: str) -> bool:
    """Whether the database is an SQLite file: then one process serves, and no second may start."""
    return urlsplit(database_url).scheme == "sqlite"


# -- what forbids a start --------------------------------------------------------------------------


def _unworkable(settings: Settings) -> Iterator[str]:
    if is_sqlite(settings.database_url) and settings.workers > 1:
        yield f"workers is {settings.workers}, but SQLite serves one process: use PostgreSQL or workers = 1."
    if not settings.jwt_keys:
        yield "jwt_keys is empty: at least one key is needed to sign access tokens."
    if not settings.data_keys:
        yield "data_keys is empty: at least one key is needed to seal personal data."
    yield from _unworkable_payments(settings)
    yield from _unworkable_chat(settings)
    if settings.tsa_url and not settings.tsa_ca_file.is_file():
        yield f"tsa_ca_file is {settings.tsa_ca_file}, which is no file: with tsa_url it is needed."
    if settings.sms_url and not settings.sms_key:
        yield "sms_key is empty: with sms_url it is needed."
    for key_id in settings.data_keys:
        if "." in key_id or len(key_id) > LONGEST_KEY_ID:
            yield f"data_keys.{key_id} is no usable id: at most {LONGEST_KEY_ID} characters and no dot."


def _unworkable_payments(settings: Settings) -> Iterator[str]:
    """With a merchant's account everything that belongs to it is needed; without one, nothing is."""
    if not settings.wechat_pay_mchid:
        return
    for name in ("wechat_appid", "wechat_pay_serial", "wechat_pay_platform_key_id", "wechat_pay_notify_url"):
        if not getattr(settings, name):
            yield f"{name} is empty: with wechat_pay_mchid it is needed."
    if len(settings.wechat_pay_secret.encode()) != WECHAT_PAY_SECRET_BYTES:
        yield f"wechat_pay_secret must have {WECHAT_PAY_SECRET_BYTES} bytes: it is WeChat Pay's APIv3 key."
    for name in ("wechat_pay_key_file", "wechat_pay_platform_key_file"):
        if not getattr(settings, name).is_file():
            yield f"{name} is {getattr(settings, name)}, which is no file."


def _unworkable_chat(settings: Settings) -> Iterator[str]:
    """What WeChat delivers is signed and encrypted, or not taken at all."""
    if settings.wechat_callback_mode != "safe":
        yield (
            f"wechat_callback_mode is {settings.wechat_callback_mode}: what WeChat sends in it is not signed."
            " Choose the safe mode (安全模式) in WeChat's console and here."
        )
    if settings.wechat_oa_appid and not settings.wechat_oa_secret:
        yield "wechat_oa_secret is empty: with wechat_oa_appid it is needed."
    if not (settings.wechat_callback_token or settings.wechat_callback_aes_key):
        return
    if not CALLBACK_TOKEN.fullmatch(settings.wechat_callback_token):
        yield "wechat_callback_token must have 3 to 32 letters and digits, as in WeChat's console."
    if not AES_KEY.fullmatch(settings.wechat_callback_aes_key):
        yield (
            "wechat_callback_aes_key must be the 43 characters of WeChat's console: without them messages"
            " would arrive in the plain mode, which is not served."
        )
    if not (settings.wechat_appid or settings.wechat_oa_appid):
        yield "wechat_oa_appid and wechat_appid are empty: with wechat_callback_token one of them is needed."


def _unsafe_in_production(settings: Settings) -> Iterator[str]:
    for name, secret in _secrets(settings):
        if any(mark in secret.lower() for mark in _SAMPLE_MARKS):
            yield f"{name} is a demo or example secret: set one of your own."
        elif len(secret.encode()) < SHORTEST_KEY_BYTES:
            yield f"{name} has {len(secret.encode())} bytes: at least {SHORTEST_KEY_BYTES} are needed."
    if settings.demo_login:
        yield "demo_login is on: anybody could sign in as anybody."
    if not settings.staff_totp_required:
        yield "staff_totp_required is off: a stolen password would be enough to give vouchers away."
    if settings.demo_clocks:
        yield "demo_clocks is on: programmes would not run at the true time."
    if settings.wechat_base_url.rstrip("/") != WECHAT_ADDRESS:
        yield f"wechat_base_url is {settings.wechat_base_url}, a stand-in: it must be {WECHAT_ADDRESS}."
    if settings.wechat_pay_base_url.rstrip("/") != WECHAT_PAY_ADDRESS:
        yield (
            f"wechat_pay_base_url is {settings.wechat_pay_base_url}, a stand-in:"
            f" it must be {WECHAT_PAY_ADDRESS}."
        )
    if settings.wechat_pay_mchid and not settings.wechat_pay_notify_url.startswith("https://"):
        yield "wechat_pay_notify_url must begin with https://: WeChat Pay accepts no other."
    if settings.sms_url and not settings.sms_url.startswith("https://"):
        yield "sms_url must begin with https://: it carries telephone numbers."
    for name in ("wechat_appid", "wechat_secret"):
        if not getattr(settings, name):
            yield f"{name} is empty: nobody could sign in."
    if any(mark in settings.wechat_callback_token.lower() for mark in _SAMPLE_MARKS):
        yield "wechat_callback_token is a demo or example secret: set one of your own."
    elif 0 < len(settings.wechat_callback_token) < SHORTEST_CALLBACK_TOKEN:
        yield (
            f"wechat_callback_token has {len(settings.wechat_callback_token)} characters:"
            f" at least {SHORTEST_CALLBACK_TOKEN} are needed."
        )


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    for key_id, secret in settings.jwt_keys.items():
        yield f"jwt_keys.{key_id}", secret
    for key_id, secret in settings.data_keys.items():
        yield f"data_keys.{key_id}", secret
    yield "receipt_key", settings.receipt_key
    if settings.wechat_pay_mchid:
        yield "wechat_pay_secret", settings.wechat_pay_secret
    if settings.sms_url:
        yield "sms_key", settings.sms_key
    if settings.wechat_callback_aes_key:
        yield "wechat_callback_aes_key", settings.wechat_callback_aes_key


# -- reading ---------------------------------------------------------------------------------------

_TYPES: Mapping[str, Any] = {
    name: kind
    for name, kind in get_type_hints(Settings).items()
    if name in {f.name for f in fields(Settings)}
}
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_SMALLEST = {"port": 0, "workers": 1, "max_body_bytes": 1, "max_header_bytes": 1, "body_seconds": 1}
_LARGEST = {"port": 65_535}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise SettingsError(f"The settings file {path} cannot be read: {fault.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsError(f"The settings file {path} is not valid TOML: {fault}.") from None
    _refuse_unknown(table, f"The settings file {path}", "")
    return {name: _typed(name, value, f"{name} in {path}") for name, value in table.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    given = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name not in (CONFIG_VARIABLE, STAFF_PASSWORD_VARIABLE)
    }
    _refuse_unknown(given, "The environment", ENVIRONMENT_PREFIX)
    return {
        name: _typed(name, _decoded(name, text), f"{ENVIRONMENT_PREFIX}{name.upper()}")
        for name, text in given.items()
    }


def _refuse_unknown(given: Mapping[str, object], source: str, prefix: str) -> None:
    unknown = sorted(given.keys() - _TYPES.keys())
    if unknown:
        names = ", ".join(prefix + (name.upper() if prefix else name) for name in unknown)
        known = ", ".join(prefix + (name.upper() if prefix else name) for name in sorted(_TYPES))
        raise SettingsError(f"{source} sets {names}, which no setting is called; settings are {known}.")


def _decoded(name: str, text: str) -> object:
    """What an environment string stands for, judged by the type of its setting."""
    kind = _TYPES[name]
    if kind is bool:
        return _WORDS.get(text.strip().lower(), text)
    if kind is int:
        stripped = text.strip()
        return int(stripped) if stripped.isascii() and stripped.isdigit() else text
    if name in KEYRINGS:
        pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
        return {key_id.strip(): secret.strip() for key_id, _, secret in pairs}
    return text


def _typed(name: str, value: object, where: str) -> Any:
    kind = _TYPES[name]
    if kind is Path and isinstance(value, str):
        return Path(value)
    if name in CHOICES:
        if value in get_args(kind):
            return value
        raise SettingsError(f"{where} is {value!r}; it must be one of {', '.join(get_args(kind))}.")
    if name in KEYRINGS:
        # Nothing of the value is shown: it holds secrets.
        if isinstance(value, dict) and all(k and isinstance(v, str) and v for k, v in value.items()):
            return MappingProxyType(dict(value))
        raise SettingsError(f"{where} must give secrets by key id, as in 2026a=…,2026b=….")
    if name == "demo_anchor" and value != "" and not _is_day(value):
        raise SettingsError(f"{where} is {value!r}; it must be a day as in 2026-03-01, or empty.")
    if type(value) is not kind:
        shown = repr(value) if kind in (int, bool) else f"a {type(value).__name__}"
        raise SettingsError(f"{where} is {shown}; it must be {_article(kind)}.")
    if kind is int:
        least, most = _SMALLEST.get(name, 0), _LARGEST.get(name, 2**31 - 1)
        if not least <= value <= most:  # type: ignore[operator]  # kind is int, checked above
            raise SettingsError(f"{where} is {value}; it must lie between {least} and {most}.")
    return value


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _article(kind: type) -> str:
    return {int: "a whole number", bool: "true or false", str: "a text"}.get(kind, "a path")
