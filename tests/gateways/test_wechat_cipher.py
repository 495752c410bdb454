"""Callbacks in the safe mode, signed and encrypted by a client of its own: what is taken, and what is not."""

from __future__ import annotations

import base64
import random
import socket
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.gateways.wechat_cipher import LARGEST_BODY, CallbackCipher, CallbackRefused
from server.gateways.wechat_messages import NoMessage, rendered, understood
from server.gateways.wechat_xml import XmlUnusable, parse, quoted
from server.rules.chat_messages import ChatMessage, MessageKind, WechatAccount
from tests.wechat_door import SEALER
from walks.wechat_phones import Letterbox

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOKEN, KEY = "tokenOfTheseTests16", base64.b64encode(bytes(range(32))).decode()[:43]
APPID = "wx0000000000000001"
BOX = Letterbox(TOKEN, KEY, APPID)
CIPHER = CallbackCipher(TOKEN, KEY, {APPID: WechatAccount.OFFICIAL, "wxmini": WechatAccount.MINI})
TEXT = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oLi]]></FromUserName>"
    "<CreateTime>1772442000</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[{content}]]></Content><MsgId>7</MsgId></xml>"
)


def stamped(sealed: str, *, at: datetime = NOW, nonce: str = "1374") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {
        "timestamp": stamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": BOX.signature(stamp, nonce, sealed),
    }


def envelope(sealed: str) -> bytes:
    return f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()


def delivered(document: str | bytes) -> tuple[dict[str, str], bytes]:
    raw = document.encode() if isinstance(document, str) else document
    sealed = BOX.seal(raw)
    return stamped(sealed), envelope(sealed)


def heard(document: str | bytes) -> ChatMessage:
    raw = document.encode() if isinstance(document, str) else document
    message, _ = understood(raw, WechatAccount.OFFICIAL, signature="a" * 40, blind=SEALER.blind, now=NOW)
    return message


def event(name: str, **items: str) -> ChatMessage:
    more = "".join(f"<{tag}>{text}</{tag}>" for tag, text in items.items())
    return heard(
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>oLi</FromUserName><CreateTime>1772442000"
        f"</CreateTime><MsgType>event</MsgType><Event>{name}</Event>{more}</xml>"
    )


# -- the channel -------------------------------------------------------------------------------------


def test_what_wechat_signed_and_encrypted_is_opened() -> None:
    opened = CIPHER.open(*delivered(TEXT.format(content="你好")), now=NOW)
    assert opened.account is WechatAccount.OFFICIAL and "你好" in opened.document.decode()


def test_the_appid_inside_says_whose_account_it_is() -> None:
    sealed = Letterbox(TOKEN, KEY, "wxmini").seal(b"<xml></xml>")
    assert CIPHER.open(stamped(sealed), envelope(sealed), now=NOW).account is WechatAccount.MINI


Spoil = Callable[[dict[str, str], bytes], tuple[dict[str, Any], bytes]]

SPOILT: dict[str, Spoil] = {
    "without a signature": lambda q, b: ({**q, "msg_signature": ""}, b),
    "another signature": lambda q, b: ({**q, "msg_signature": "0" * 40}, b),
    "the signature in capitals": lambda q, b: ({**q, "msg_signature": q["msg_signature"].upper()}, b),
    "a signature that is no text": lambda q, b: ({**q, "msg_signature": "é" * 40}, b),
    "the signature of the plain mode": lambda q, b: (
        {**q, "msg_signature": BOX.signature(q["timestamp"], q["nonce"])},
        b,
    ),
    "another timestamp": lambda q, b: ({**q, "timestamp": str(int(q["timestamp"]) + 1)}, b),
    "a timestamp in full-width digits": lambda q, b: ({**q, "timestamp": "１７７２４４２０００"}, b),
    "no timestamp": lambda q, b: ({**q, "timestamp": ""}, b),
    "another nonce": lambda q, b: ({**q, "nonce": "1375"}, b),
    "a shifted nonce": lambda q, b: ({**q, "nonce": q["timestamp"][-1] + q["nonce"]}, b),
    "timestamp and nonce swapped": lambda q, b: ({**q, "timestamp": q["nonce"], "nonce": q["timestamp"]}, b),
    "a nonce of a thousand letters": lambda q, b: ({**q, "nonce": "1" * 1000}, b),
    "the plain mode": lambda q, b: ({**q, "encrypt_type": "raw"}, TEXT.encode()),
    "no word of a mode": lambda q, b: ({name: q[name] for name in q if name != "encrypt_type"}, b),
    "the compatible mode": lambda q, b: (
        q,
        b.replace(b"</ToUserName>", b"</ToUserName><MsgType>text</MsgType>"),
    ),
    "a changed body": lambda q, b: (q, b.replace(b"[CDATA[", b"[CDATA[AAAA")),
    "two encrypted parts": lambda q, b: (q, b.replace(b"</xml>", b"<Encrypt>A</Encrypt></xml>")),
    "no encrypted part": lambda q, b: (q, b"<xml></xml>"),
    "no XML": lambda q, b: (q, b"{}"),
    "nothing": lambda q, b: (q, b""),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_is_not_exactly_as_wechat_signed_it_is_refused(spoil: Spoil) -> None:
    query, body = delivered(TEXT.format(content="你好"))
    CIPHER.open(query, body, now=NOW)
    with pytest.raises(CallbackRefused):
        CIPHER.open(*spoil(query, body), now=NOW)


@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_delivery_is_good_for_five_minutes_in_both_directions(seconds: int, taken: bool) -> None:
    query, body = delivered(TEXT.format(content="你好"))
    late = NOW + timedelta(seconds=seconds)
    if taken:
        assert CIPHER.open(query, body, now=late)
    else:
        with pytest.raises(CallbackRefused):
            CIPHER.open(query, body, now=late)


def raw(plain: bytes) -> str:
    """Encrypted as it is, with the right key: only somebody who has it could send this."""
    lock = BOX._cipher().encryptor()
    return base64.b64encode(lock.update(plain) + lock.finalize()).decode()


def framed(length: int, padding: bytes, appid: bytes = APPID.encode()) -> str:
    message = b"<xml></xml>"
    plain = bytes(16) + struct.pack(">I", length) + message + appid
    whole = plain + bytes(-(len(plain) + len(padding)) % 16) + padding
    return raw(whole)


GOOD_LENGTH = len(b"<xml></xml>")


@pytest.mark.parametrize(
    "sealed",
    [
        "",
        "not base64!",
        "QQ==",
        "AAAAAAAAAAAAAAAAAAAAAA=",
        raw(bytes(16)),
        raw(bytes(32)),
        raw(b"\x20" * 32),
        raw(bytes(31) + b"\x21"),
        raw(bytes(31) + b"\xff"),
        raw(bytes(30) + b"\x01\x02"),
        framed(GOOD_LENGTH, b"\x01", b"wx-of-somebody-else"),
        framed(GOOD_LENGTH, b"\x01", b""),
        framed(GOOD_LENGTH + 1, b"\x01"),
        framed(2**32 - 1, b"\x01"),
        framed(0, b"\x01"),
        "中文",
    ],
)
def test_what_decrypts_to_nonsense_is_refused(sealed: str) -> None:
    with pytest.raises(CallbackRefused):
        CIPHER.open(stamped(sealed), envelope(sealed), now=NOW)


def test_mutants_of_a_delivery_are_refused_and_never_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_socket(*_: Any) -> None:
        raise AssertionError("a callback opened a connection")

    monkeypatch.setattr(socket.socket, "connect", no_socket)
    chance = random.Random(5)
    query, body = delivered(TEXT.format(content="你好" * 20))
    for _ in range(3_000):
        mutant = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(mutant))
            match chance.randrange(3):
                case 0:
                    mutant[at] = chance.randrange(256)
                case 1:
                    del mutant[at]
                case _:
                    mutant[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
        try:
            opened = CIPHER.open(query, bytes(mutant), now=NOW)
        except CallbackRefused:
            continue
        # What lies outside the encrypted part may change; what is heard may not.
        assert "你好" in opened.document.decode()


def test_our_answers_are_signed_and_encrypted_as_wechat_reads_them() -> None:
    document = rendered("收到", to="oLi", sender="gh_1", now=NOW)
    answer = parse(CIPHER.seal(document, WechatAccount.OFFICIAL, now=NOW))
    assert answer["MsgSignature"] == BOX.signature(answer["TimeStamp"], answer["Nonce"], answer["Encrypt"])
    assert BOX.open(answer["Encrypt"]) == document


@pytest.mark.parametrize(
    "hostile", ["]]>", "]]]]>>", "a]]></Content><Fake>", "\x00\x0b\ufffe\ud800ok", "<b>&amp;"]
)
def test_nobody_breaks_out_of_an_answer(hostile: str) -> None:
    document = rendered(hostile, to="oLi", sender="gh_1", now=NOW)
    fields = parse(document.encode())
    assert set(fields) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}
    kept = "".join(one for one in hostile if one not in "\x00\x0b\ufffe\ud800")
    assert fields["Content"] == kept
    assert parse(f"<xml><a>{quoted(hostile)}</a></xml>".encode())["a"] == kept


def test_the_address_is_verified_by_its_own_words() -> None:
    stamp, nonce = str(int(NOW.timestamp())), "99"
    query = {"signature": BOX.signature(stamp, nonce), "timestamp": stamp, "nonce": nonce, "echostr": "4711"}
    assert CIPHER.echo(query, now=NOW) == "4711"
    for spoilt in ({"signature": "0" * 40}, {"echostr": "<script>"}, {"echostr": ""}, {"timestamp": "1"}):
        with pytest.raises(CallbackRefused):
            CIPHER.echo({**query, **spoilt}, now=NOW)
    with pytest.raises(CallbackRefused):
        CIPHER.echo(query, now=NOW + timedelta(minutes=6))


# -- XML ---------------------------------------------------------------------------------------------

ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
HOSTILE = {
    "a billion laughs": f'<!DOCTYPE xml [<!ENTITY e0 "ha">{ENTITIES}]><xml><a>&e8;</a></xml>',
    "a local file": '<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><a>&f;</a></xml>',
    "an address": '<!DOCTYPE xml [<!ENTITY f SYSTEM "http://127.0.0.1/">]><xml><a>&f;</a></xml>',
    "a parameter entity": '<!DOCTYPE xml [<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]><xml></xml>',
    "an external DTD": '<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml></xml>',
    "an empty DOCTYPE": "<!DOCTYPE xml><xml></xml>",
    "an unknown entity": "<xml><a>&nbsp;</a></xml>",
    "very deep": "<xml>" + "<a>" * 9_000 + "</a>" * 9_000 + "</xml>",
    "very wide": "<xml>" + "<a/>" * 15_000 + "</xml>",
    "many attributes": "<xml " + " ".join(f'a{n}="1"' for n in range(6_000)) + "><a" * 600,
    "another root": "<html></html>",
    "two roots": "<xml></xml><xml></xml>",
    "no end": "<xml><a>",
    "a NUL": "<xml><a>\x00</a></xml>",
    "only a declaration": '<?xml version="1.0"?>',
    "nothing": "",
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
def test_hostile_xml_is_one_refusal_and_costs_next_to_nothing(document: str) -> None:
    raw_document = document.encode()[:LARGEST_BODY]
    # The cheapest of several: in one of them a whole suite's heap may be cleaned.
    costs = []
    for _ in range(5):
        began = time.process_time()
        with pytest.raises(XmlUnusable):
            parse(raw_document)
        costs.append(time.process_time() - began)
    assert min(costs) < 0.1
    with pytest.raises(NoMessage):
        heard(raw_document)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "gb18030", "latin-1"])
def test_another_encoding_is_refused_whatever_the_document_claims(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><xml><a>é一</a></xml>'
    with pytest.raises(XmlUnusable):
        parse(document.encode(encoding, "replace").replace(b"?", b"\xff", 1))


def test_an_element_that_stands_twice_is_a_list_and_no_message() -> None:
    assert parse(b"<xml><a>1</a><a>2</a><b><c>3</c></b></xml>") == {"a": ["1", "2"], "b": {"c": "3"}}
    with pytest.raises(NoMessage):
        heard(
            "<xml><FromUserName>a</FromUserName><FromUserName>b</FromUserName><MsgType>text</MsgType></xml>"
        )


# -- what is heard -----------------------------------------------------------------------------------


def test_a_text_is_heard_as_it_was_written() -> None:
    message = heard(TEXT.format(content=" １２\n👍 "))
    assert (message.kind, message.text, message.openid) == (MessageKind.TEXT, " １２\n👍 ", "oLi")
    assert message.sent_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "items", "expected"),
    [
        ("image", "<MediaId>m1</MediaId><PicUrl>http://x</PicUrl>", MessageKind.IMAGE),
        ("voice", "<MediaId>m1</MediaId><Format>amr</Format>", MessageKind.VOICE),
        ("video", "<MediaId>m1</MediaId>", MessageKind.VIDEO),
        ("shortvideo", "<MediaId>m1</MediaId>", MessageKind.VIDEO),
        ("file", "<Title>a.pdf</Title>", MessageKind.FILE),
        ("location", "<Location_X>28.4</Location_X><Label>路</Label>", MessageKind.LOCATION),
        ("link", "<Title>t</Title><Url>http://x</Url>", MessageKind.LINK),
        ("miniprogrampage", "<Title>t</Title><PagePath>p</PagePath>", MessageKind.LINK),
        ("text", "<Content>【收到不支持的消息类型，暂无法显示】</Content>", MessageKind.STICKER),
        ("text", "<Content></Content>", MessageKind.TEXT),
        ("hologram", "<Depth>3</Depth>", MessageKind.OTHER),
    ],
)
def test_every_kind_is_understood_or_other(kind: str, items: str, expected: MessageKind) -> None:
    message = heard(
        f"<xml><FromUserName>oLi</FromUserName><CreateTime>1</CreateTime><MsgType>{kind}</MsgType>"
        f"<MsgId>9</MsgId>{items}</xml>"
    )
    assert message.kind is expected
    assert ChatMessage.unpacked(message.packed(), sender_id=0) == message


@pytest.mark.parametrize(
    ("name", "items", "expected"),
    [
        ("CLICK", {"EventKey": "complaint"}, MessageKind.MENU_TAP),
        ("subscribe", {"EventKey": "qrscene_1"}, MessageKind.SUBSCRIBE),
        ("unsubscribe", {}, MessageKind.UNSUBSCRIBE),
        ("user_enter_tempsession", {"SessionFrom": "order:1"}, MessageKind.ENTER_SESSION),
        ("TEMPLATESENDJOBFINISH", {"MsgID": "1", "Status": "success"}, MessageKind.TEMPLATE_RESULT),
        (
            "subscribe_msg_popup_event",
            {"SubscribeMsgPopupEvent": "<List><TemplateId>t</TemplateId></List>"},
            MessageKind.SUBSCRIBE_RESULT,
        ),
        ("wxa_media_check", {"trace_id": "t"}, MessageKind.MEDIA_CHECK),
        ("VIEW", {"EventKey": "http://x"}, MessageKind.OTHER),
        ("never_heard_of", {}, MessageKind.OTHER),
    ],
)
def test_every_event_is_understood_or_other(name: str, items: dict[str, str], expected: MessageKind) -> None:
    message = event(name, **items)
    assert message.kind is expected
    assert message.menu_key == ("complaint" if expected is MessageKind.MENU_TAP else "")
    if expected is MessageKind.SUBSCRIBE_RESULT:
        assert message.data["subscribemsgpopupevent"] == {"list": {"templateid": "t"}}
    if expected is MessageKind.ENTER_SESSION:
        assert message.data["scene"] == "order:1"


def test_a_key_is_the_same_for_every_delivery_and_for_no_other_message() -> None:
    first, again = heard(TEXT.format(content="a")), heard(TEXT.format(content="a"))
    other = heard(TEXT.format(content="a").replace("<MsgId>7<", "<MsgId>8<"))
    assert first.key == again.key != other.key
    tap = event("CLICK", EventKey="market")
    assert tap.key == event("CLICK", EventKey="market").key != event("CLICK", EventKey="progress").key
    assert "oLi" not in tap.key and first.key != "7"


@pytest.mark.parametrize("openid", ["", "o Li", "o" * 65, "中"])
def test_who_cannot_be_is_nobody(openid: str) -> None:
    with pytest.raises(NoMessage):
        heard(f"<xml><FromUserName>{openid}</FromUserName><MsgType>text</MsgType><MsgId>1</MsgId></xml>")


def test_nothing_of_what_was_written_stands_in_a_repr() -> None:
    message = heard(TEXT.format(content="电话 19900001234"))
    assert "19900001234" not in repr(message) and "oLi" not in repr(message)
