"""The second factor: six digits of an authenticator, each good once (RFC 6238)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

import pyotp

from server.services.access import NotSignedIn

ISSUER = "Qiquan"
STEP_SECONDS = 30
# A clock that is half a minute wrong, or a person who types slowly.
STEPS_EITHER_WAY = 1


class SecondFactorNeeded(NotSignedIn):
    """The password is right; the same again with the six digits of the authenticator."""

    status, code = 401, "second_factor_needed"


class SecondFactorWrong(NotSignedIn):
    """Not the six digits of this half minute, or used already."""

    status, code = 401, "second_factor_wrong"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator is told, once. ``uri`` as a QR code, ``secret`` for typing."""

    uri: str
    secret: str


def enrolment(username: str) -> Enrolment:
    """A new secret for somebody."""
    secret = pyotp.random_base32()
    uri = pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=username, issuer_name=ISSUER)
    return Enrolment(uri, secret)


def step_of(secret: str, digits: str, *, after: int, now: datetime) -> int:
    """The half minute that the digits belong to, later than the one ``after`` whose digits were used.

    Raises :class:`SecondFactorWrong`. Who accepts them stores the step, so that they are good once.
    """
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    current = int(now.timestamp()) // STEP_SECONDS
    for step in range(current - STEPS_EITHER_WAY, current + STEPS_EITHER_WAY + 1):
        if step > after and compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            return step
    raise SecondFactorWrong()
