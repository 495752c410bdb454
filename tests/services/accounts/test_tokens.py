"""Access tokens: 48 and more ways to forge one, and twenty thousand mutants of a good one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from server.errors import Refusal
from server.services.access import NotSignedIn
from server.services.accounts.tokens import LIFETIME, LONGEST_TOKEN, AccessTokenExpired, AccessTokens

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = "a signing secret of this test, long enough"
SESSION = UUID("0192c3a0-5f7b-4a7e-9d3e-0c6f3a1b2c4d")
ISSUER, AUDIENCE = "qiquan", "qiquan-api"
TOKENS = AccessTokens({"2026a": SECRET}, issuer=ISSUER, audience=AUDIENCE)

HEADER: dict[str, Any] = {"alg": "HS256", "kid": "2026a", "typ": "at+jwt"}
PAYLOAD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "person:12",
    "sid": str(SESSION),
    "ver": 1,
    "iat": int(NOW.timestamp()),
    "exp": int((NOW + LIFETIME).timestamp()),
}


def segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def signed(header: bytes, payload: bytes, secret: str = SECRET, digest: str = "sha256") -> str:
    """A token with a true signature over whatever header and payload it is given."""
    signing_input = f"{segment(header)}.{segment(payload)}"
    signature = hmac.new(secret.encode(), signing_input.encode(), digest).digest()
    return f"{signing_input}.{segment(signature)}"


def claiming(**changes: Any) -> str:
    """A correctly signed token whose claims are changed; ``...`` leaves one out."""
    payload = {name: value for name, value in (PAYLOAD | changes).items() if value is not ...}
    return signed(compact(HEADER), compact(payload))


def headed(payload: bytes | None = None, **changes: Any) -> str:
    """A correctly signed token whose header is changed; ``...`` leaves a field out."""
    header = {name: value for name, value in (HEADER | changes).items() if value is not ...}
    return signed(compact(header), payload or compact(PAYLOAD))


def unsigned(**changes: Any) -> str:
    return f"{segment(compact(HEADER | changes))}.{segment(compact(PAYLOAD))}."


def good() -> str:
    token, _ = TOKENS.issue("person:12", session_id=SESSION, version=1, now=NOW)
    return token


PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
SECONDS = int(NOW.timestamp())

FORGERIES: dict[str, str] = {
    # The algorithm is ours to choose.
    "algorithm none": unsigned(alg="none"),
    "algorithm None": unsigned(alg="None"),
    "algorithm NONE": unsigned(alg="NONE"),
    "algorithm nOnE": unsigned(alg="nOnE"),
    "algorithm none with a true signature": headed(alg="none"),
    "no algorithm": headed(alg=...),
    "algorithm is a list": headed(alg=["HS256"]),
    "HS384 with our secret": signed(compact(HEADER | {"alg": "HS384"}), compact(PAYLOAD), digest="sha384"),
    "HS512 with our secret": signed(compact(HEADER | {"alg": "HS512"}), compact(PAYLOAD), digest="sha512"),
    "RS256, signed with the public key": signed(
        compact(HEADER | {"alg": "RS256"}), compact(PAYLOAD), secret=PUBLIC_KEY
    ),
    "ES256": headed(alg="ES256"),
    # The signature.
    "empty signature": unsigned(),
    "another secret": signed(compact(HEADER), compact(PAYLOAD), secret="somebody else's secret of 32 bytes"),
    "an empty secret": signed(compact(HEADER), compact(PAYLOAD), secret=""),
    "signature in the other base64 alphabet": good().replace("-", "+").replace("_", "/") + "=",
    "half a signature": good()[:-21],
    # Time.
    "no exp": claiming(exp=...),
    "exp is null": claiming(exp=None),
    "exp is true": claiming(exp=True),
    "exp is a fraction": claiming(exp=SECONDS + 900.5),
    "exp is a text": claiming(exp=str(SECONDS + 900)),
    "exp is negative": claiming(exp=-1),
    "exp is ten to the four hundredth": claiming(exp=10**400),
    "exp is infinite": signed(compact(HEADER), compact(PAYLOAD).replace(b'"exp":', b'"exp":1e999,"x":')),
    "exp lies thirty-one minutes after iat": claiming(exp=SECONDS + 1860),
    "expired this second": claiming(iat=SECONDS - 60, exp=SECONDS),
    "no iat": claiming(iat=...),
    "iat is a text": claiming(iat=str(SECONDS)),
    "iat lies in the future": claiming(iat=SECONDS + 300, exp=SECONDS + 900),
    "nbf lies in the future": claiming(nbf=SECONDS + 300),
    # For whom and by whom.
    "no aud": claiming(aud=...),
    "another aud": claiming(aud="another-api"),
    "aud is a list of ours": claiming(aud=[AUDIENCE]),
    "aud is ours and another": claiming(aud=[AUDIENCE, "another-api"]),
    "aud holds a number": claiming(aud=[AUDIENCE, 7]),
    "no iss": claiming(iss=...),
    "iss begins like ours": claiming(iss=ISSUER + ".example"),
    "iss is a beginning of ours": claiming(iss=ISSUER[:-1]),
    "iss is a list": claiming(iss=[ISSUER]),
    # Who.
    "no sub": claiming(sub=...),
    "sub is a number": claiming(sub=12),
    "sub is a list": claiming(sub=["person:12"]),
    "sub is null": claiming(sub=None),
    "sub is of an unknown kind": claiming(sub="machine:12"),
    "sub has a leading zero": claiming(sub="person:012"),
    "sub has digits of another script": claiming(sub="person:１２"),
    "sub ends with a newline": claiming(sub="person:12\n"),
    "no sid": claiming(sid=...),
    "sid is no session": claiming(sid="12"),
    "sid in capitals": claiming(sid=str(SESSION).upper()),
    "no ver": claiming(ver=...),
    "ver is true": claiming(ver=True),
    "ver is a text": claiming(ver="1"),
    # Headers and claims we never write.
    "unknown kid": headed(kid="2025a"),
    "no kid": headed(kid=...),
    "kid is a path": headed(kid="../../dev/null"),
    "kid is a list": headed(kid=["2026a"]),
    "typ is JWT": headed(typ="JWT"),
    "no typ": headed(typ=...),
    "typ of a refresh token": headed(typ="rt+jwt"),
    "crit": headed(crit=["exp"]),
    "b64 is false": headed(b64=False, crit=["b64"]),
    "brings its own key": headed(jwk={"kty": "oct", "k": segment(b"x" * 32)}),
    "brings a key address": headed(jku="https://example.com/keys.json"),
    "a certificate address": headed(x5u="https://example.com/certificate.pem"),
    "a token within a token": headed(payload=compact(good()), cty="JWT"),
    "claims a role": claiming(roles=["operator"]),
    "a claim twice": signed(compact(HEADER), compact(PAYLOAD)[:-1] + b',"sub":"staff:1"}'),
    "the same claim twice, equal": signed(compact(HEADER), compact(PAYLOAD)[:-1] + b',"ver":1}'),
    "a header twice": signed(compact(HEADER)[:-1] + b',"kid":"2026a"}', compact(PAYLOAD)),
    "claims in another order": signed(compact(HEADER), compact(dict(reversed(PAYLOAD.items())))),
    "claims with blanks": signed(compact(HEADER), json.dumps(PAYLOAD).encode()),
    # Malformed.
    "payload is a list": signed(compact(HEADER), compact([PAYLOAD])),
    "payload is a text": signed(compact(HEADER), compact("person:12")),
    "payload is rubbish": signed(compact(HEADER), b"\x00\xff{"),
    "payload is nested deeply": signed(compact(HEADER), b"[" * 2_000 + b"]" * 900),
    "header is nested deeply": signed(b"[" * 2_000 + b"]" * 900, b"{}"),
    "header is a list": signed(compact([HEADER]), compact(PAYLOAD)),
    "header is rubbish": signed(b"\x00\xff{", compact(PAYLOAD)),
    "two parts": good().rpartition(".")[0],
    "four parts": good() + "." + segment(b"{}"),
    "nothing": "",
    "dots": "..",
    "a blank before it": " " + good(),
    "a newline after it": good() + "\n",
    "a foreign letter inside": good()[:-5] + "é" + good()[-5:],
    "half a surrogate pair": good() + "\ud800",
    "a refresh token": segment(hashlib.sha256(b"refresh").digest()),
    "eight megabytes": "a" * 8_000_000,
    "one letter longer than any token": claiming(x="x" * LONGEST_TOKEN),
}


def test_the_list_is_as_long_as_it_should_be() -> None:
    assert len(FORGERIES) >= 48


def test_the_forger_can_write_what_we_write() -> None:
    """The control: unchanged, the forger's own token is a good one."""
    assert claiming() == good()
    assert TOKENS.verify(claiming(), now=NOW).subject == "person:12"


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused(forgery: str) -> None:
    with pytest.raises(NotSignedIn):
        TOKENS.verify(forgery, now=NOW)


def change_a_letter(random: random.Random, token: str) -> str:
    position = random.randrange(len(token))
    letter = random.choice("ABCabc019-_.=+/ \u00e9\x00")
    return token[:position] + letter + token[position + 1 :]


def insert_a_letter(random: random.Random, token: str) -> str:
    position = random.randrange(len(token) + 1)
    return token[:position] + random.choice("Aa0-_.= \n\u00e9") + token[position:]


def cut_a_piece(random: random.Random, token: str) -> str:
    start = random.randrange(len(token))
    return token[:start] + token[start + random.randint(1, 40) :]


def repeat_a_piece(random: random.Random, token: str) -> str:
    start = random.randrange(len(token))
    return token[: start + 8] + token[start:]


def shuffle_the_parts(random: random.Random, token: str) -> str:
    return ".".join(random.choices(token.split("."), k=random.randint(1, 4)))


def flip_a_bit_inside(random: random.Random, token: str) -> str:
    parts = token.split(".")
    which = random.randrange(3)
    raw = bytearray(base64.urlsafe_b64decode(parts[which] + "=="))
    raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    parts[which] = segment(bytes(raw))
    return ".".join(parts)


def change_a_claim_and_sign(random: random.Random, token: str) -> str:
    """What somebody who has the key but not the form could write."""
    name = random.choice(list(PAYLOAD))
    odd: list[Any] = [
        None,
        True,
        0,
        -1,
        1.5,
        "",
        [],
        {},
        [PAYLOAD[name]],
        {"a": PAYLOAD[name]},
        2**63,
        "\x00",
    ]
    return claiming(**{name: random.choice(odd)})


MUTATIONS: tuple[Callable[[random.Random, str], str], ...] = (
    change_a_letter,
    insert_a_letter,
    cut_a_piece,
    repeat_a_piece,
    shuffle_the_parts,
    flip_a_bit_inside,
    change_a_claim_and_sign,
)


def test_twenty_thousand_mutants_are_refused() -> None:
    source, token, accepted = random.Random(20260302), good(), []
    tried = 0
    while tried < 20_000:
        mutant = source.choice(MUTATIONS)(source, token)
        # Any integer is a version, and which one is current is the database's to say.
        if mutant == token or mutant in (claiming(ver=0), claiming(ver=-1), claiming(ver=2**63)):
            continue
        tried += 1
        try:
            TOKENS.verify(mutant, now=NOW)
        except NotSignedIn:
            continue
        accepted.append(mutant)
    assert accepted == []


def test_a_token_says_who_and_until_when() -> None:
    token, expires_at = TOKENS.issue("staff:3", session_id=SESSION, version=4, now=NOW)
    claims = TOKENS.verify(token, now=NOW + timedelta(minutes=29, seconds=59))
    assert (claims.subject, claims.session_id, claims.version) == ("staff:3", SESSION, 4)
    assert claims.expires_at == expires_at == NOW + timedelta(minutes=30)


def test_an_expired_token_says_so() -> None:
    with pytest.raises(AccessTokenExpired):
        TOKENS.verify(good(), now=NOW + timedelta(minutes=30))


def test_an_expired_forgery_is_told_nothing() -> None:
    forged = signed(compact(HEADER), compact(PAYLOAD), secret="somebody else's secret of 32 bytes")
    with pytest.raises(Refusal) as refused:
        TOKENS.verify(forged, now=NOW + timedelta(minutes=30))
    assert refused.value.code == "not_signed_in"


def test_a_token_never_outlives_its_session() -> None:
    end = NOW + timedelta(minutes=7)
    _, expires_at = TOKENS.issue("person:12", session_id=SESSION, version=1, now=NOW, not_after=end)
    assert expires_at == end


def test_keys_can_be_rotated() -> None:
    old, new = SECRET, "the secret that follows it, long enough"
    both = AccessTokens({"2026b": new, "2026a": old}, issuer=ISSUER, audience=AUDIENCE)
    only_new = AccessTokens({"2026b": new}, issuer=ISSUER, audience=AUDIENCE)
    token, _ = both.issue("person:12", session_id=SESSION, version=1, now=NOW)
    assert both.verify(good(), now=NOW).subject == "person:12"
    assert only_new.verify(token, now=NOW).subject == "person:12"
    with pytest.raises(NotSignedIn):
        only_new.verify(good(), now=NOW)


def test_a_short_key_or_none_is_refused_at_the_start() -> None:
    for keys in ({}, {"2026a": "too short"}):
        with pytest.raises(ValueError, match="key"):
            AccessTokens(keys, issuer=ISSUER, audience=AUDIENCE)
