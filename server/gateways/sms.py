"""SMS: one small protocol to whatever sends them, and the HTTP adapter to it.

What is sent is a template's code and its few words; the sender of SMS has the text. Neither a number nor a
word of a message is ever logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import orjson
import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout

TIMEOUT_SECONDS = 5.0
LONGEST_ANSWER = 16_384
LONGEST_NAME = 64

log = structlog.get_logger()


class SmsRefused(Exception):
    """The sender of SMS understood and will not send this one; ``unusable``: to this number, none at all."""

    def __init__(self, *, unusable: bool) -> None:
        super().__init__("the sender of SMS refused a message")
        self.unusable = unusable


class SmsUnavailable(Exception):
    """No answer, or none that says what became of the message; ``sent_nothing``: it was not taken on."""

    def __init__(self, *, sent_nothing: bool) -> None:
        super().__init__("the sender of SMS gave no answer")
        self.sent_nothing = sent_nothing


class Sms(Protocol):
    """Whoever sends SMS."""

    async def send(self, phone: str, code: str, words: Mapping[str, str], *, key: str) -> str:
        """Send the template ``code`` with its words; the sender's own name of the message.

        The same ``key`` again must send nothing twice, as far as the sender of SMS keeps to that. Raises
        :class:`SmsRefused` and :class:`SmsUnavailable`.
        """


class HttpSms:
    """``POST {base_url}/messages`` with a bearer key: ``{"phone", "template", "words", "key"}``.

    200 ``{"id": …}``: taken on. 409: taken on before under this key. 404: the number cannot be reached.
    429 and 503: later. Any other 4xx: never.
    """

    def __init__(self, http: ClientSession, *, base_url: str, key: str) -> None:
        self._http = http
        self._address = base_url.rstrip("/") + "/messages"
        self._key = key

    async def send(self, phone: str, code: str, words: Mapping[str, str], *, key: str) -> str:
        """See :class:`Sms`."""
        body = orjson.dumps({"phone": phone, "template": code, "words": dict(words), "key": key})
        try:
            async with self._http.post(
                self._address,
                data=body,
                headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
                allow_redirects=False,
                timeout=ClientTimeout(total=TIMEOUT_SECONDS),
            ) as response:
                status, raw = response.status, await response.content.read(LONGEST_ANSWER)
        # The message of a client error may hold the address.
        except (ClientError, TimeoutError, OSError) as fault:
            log.warning("sms.no_answer", fault=type(fault).__name__)
            raise SmsUnavailable(sent_nothing=False) from None
        if status in (200, 409):
            return _name_in(raw)
        log.info("sms.refused", status=status)
        if status in (429, 503):
            raise SmsUnavailable(sent_nothing=True)
        if 400 <= status < 500:
            raise SmsRefused(unusable=status == 404)
        raise SmsUnavailable(sent_nothing=False)


def _name_in(raw: bytes) -> str:
    """The sender's name of the message, where the answer has one."""
    try:
        answer = orjson.loads(raw)
    except ValueError:
        return ""
    name = answer.get("id") if isinstance(answer, dict) else None
    return name if isinstance(name, str) and len(name) <= LONGEST_NAME else ""
