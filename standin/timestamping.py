"""The stand-in for a time-stamp authority (RFC 3161) and for a blockchain's door, beside WeChat's.

``POST /tsa``  a time stamp over any imprint, signed by a certificate of the stand-in's own authority, which
``GET /standin/tsa/ca.pem`` shows. ``POST /chain/anchors``  one block for each hash, ``GET /standin/chain``
shows them. ``POST /standin/tsa/away {"times": 3}``  the next requests get no answer that can be used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from standin.wechat import WechatStandIn

INTEGER, OCTETS, SEQUENCE, SET, GENERALIZED_TIME = 0x02, 0x04, 0x30, 0x31, 0x18
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
SHA_256, ECDSA_SHA256 = "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2"
POLICY = "1.3.6.1.4.1.99999.1"


class TimeStamper:
    """An authority in memory, with a root of its own. ``now`` is its clock."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._serial = 0
        began = datetime(2020, 1, 1, tzinfo=UTC)
        root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root_name, name = _named("Stand-in root"), _named("Stand-in time stamps")
        until = began + timedelta(days=365 * 40)
        root = (
            x509.CertificateBuilder(root_name, root_name, root_key.public_key(), 1, began, until)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(root_key, SHA256())
        )
        self._certificate = (
            x509.CertificateBuilder(root_name, name, self._key.public_key(), 2, began, until)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(root_key, SHA256())
        )
        self.ca_pem = root.public_bytes(Encoding.PEM)

    def answer(self, query: bytes) -> bytes:
        """A response (TimeStampResp) to a query (TimeStampReq)."""
        fields = _parts(_parts(query)[0][1])
        imprint = der(SEQUENCE, fields[1][1])
        nonces = [der(INTEGER, value) for tag, value in fields[2:] if tag == INTEGER]
        self._serial += 1
        stamped = self._now().astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii")
        info = der(
            SEQUENCE,
            integer(1),
            oid(POLICY),
            imprint,
            integer(self._serial),
            der(GENERALIZED_TIME, stamped),
            *nonces,
        )
        return der(SEQUENCE, der(SEQUENCE, integer(0)), self._signed(info))

    def publish(self, file: Path) -> None:
        """Put the root's certificate beside those of earlier runs, whose time stamps are still good."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as known:
            known.write(self.ca_pem)

    def _signed(self, info: bytes) -> bytes:
        raw = self._certificate.public_bytes(Encoding.DER)
        told = [
            (CONTENT_TYPE, oid(TST_INFO)),
            (MESSAGE_DIGEST, der(OCTETS, sha256(info).digest())),
            (SIGNING_CERTIFICATE, _nested(der(OCTETS, sha256(raw).digest()), 3)),
        ]
        attributes = b"".join(sorted(der(SEQUENCE, oid(name), der(SET, value)) for name, value in told))
        signature = self._key.sign(der(SET, attributes), ec.ECDSA(SHA256()))
        issuer = self._certificate.issuer.public_bytes()
        signer = der(
            SEQUENCE,
            integer(1),
            der(SEQUENCE, issuer, integer(self._certificate.serial_number)),
            der(SEQUENCE, oid(SHA_256)),
            der(0xA0, attributes),
            der(SEQUENCE, oid(ECDSA_SHA256)),
            der(OCTETS, signature),
        )
        content = der(SEQUENCE, oid(TST_INFO), der(0xA0, der(OCTETS, info)))
        hashes = der(SET, der(SEQUENCE, oid(SHA_256)))
        data = der(SEQUENCE, integer(3), hashes, content, der(0xA0, raw), der(SET, signer))
        return der(SEQUENCE, oid(SIGNED_DATA), der(0xA0, data))


class AnchorStandIn:
    """Both doors. What the chain holds is forgotten with the process."""

    def __init__(self, stamper: TimeStamper | None = None) -> None:
        self.stamper = stamper or TimeStamper()
        self.blocks: list[dict[str, object]] = []
        self._away = 0

    def add_to(self, standin: WechatStandIn) -> None:
        """Serve the endpoints beside WeChat's."""
        standin.app.add_routes(self.routes())

    def routes(self) -> Sequence[web.RouteDef]:
        """The endpoints, for an application of one's own."""
        return [
            web.post("/tsa", self._stamp),
            web.get("/standin/tsa/ca.pem", self._ca),
            web.post("/standin/tsa/away", self._be_away),
            web.post("/chain/anchors", self._chain),
            web.get("/standin/chain", self._told),
        ]

    async def _stamp(self, request: web.Request) -> web.Response:
        if self._away:
            self._away -= 1
            return web.Response(status=503)
        made = self.stamper.answer(await request.read())
        return web.Response(body=made, content_type="application/timestamp-reply")

    async def _ca(self, request: web.Request) -> web.Response:
        return web.Response(body=self.stamper.ca_pem, content_type="application/x-pem-file")

    async def _be_away(self, request: web.Request) -> web.Response:
        self._away = int((await request.json())["times"])
        return web.json_response({})

    async def _chain(self, request: web.Request) -> web.Response:
        asked = await request.json()
        known = next((block for block in self.blocks if block["number"] == asked["number"]), None)
        if known is not None:
            return web.json_response(known, status=409)
        before = str(self.blocks[-1]["block"]) if self.blocks else "0" * 64
        block = sha256(f"{before}\n{asked['statement']}".encode()).hexdigest()
        self.blocks.append(
            {
                "number": asked["number"],
                "statement": asked["statement"],
                "transaction": sha256(str(asked["statement"]).encode()).hexdigest(),
                "block": block,
                "at": datetime.now(UTC).isoformat(),
            }
        )
        return web.json_response(self.blocks[-1])

    async def _told(self, request: web.Request) -> web.Response:
        return web.json_response({"blocks": self.blocks})


# -- DER, as far as a time stamp needs it -----------------------------------------------------------


def der(tag: int, *contents: bytes) -> bytes:
    """One value with its tag and length."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    """A whole number that is not negative."""
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """An object identifier."""
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for number in (first * 40 + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | number & 0x7F)
        out += bytes(reversed(septets))
    return der(0x06, bytes(out))


def _nested(content: bytes, depth: int) -> bytes:
    for _ in range(depth):
        content = der(SEQUENCE, content)
    return content


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    """The values that stand side by side in some bytes, each with its tag."""
    found, at = [], 0
    while at < len(content):
        tag, size, at = content[at], content[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(content[at : at + width], "big"), at + width
        found.append((tag, content[at : at + size]))
        at += size
    return found


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
