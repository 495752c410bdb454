"""The chat: who writes to us, what arrived, what is being talked about, and the media they sent."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.files import StoredFile
from server.models.people import Person
from server.rules.chat_messages import MessageKind, WechatAccount
from server.sealing import SEALED_LENGTH


class ChatSender(Model):
    """Somebody who wrote to one of our accounts, signed in or not. An outbox recipient: ``sender:17``."""

    id = fields.BigIntField(primary_key=True)
    account = fields.CharEnumField(WechatAccount, max_length=16)
    openid_index = fields.CharField(64, description="Blind index of WeChat's openid")
    openid_sealed = fields.CharField(SEALED_LENGTH)
    unionid_index = fields.CharField(64, default="", description="As of a person, once WeChat has said it")
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="chat_senders", null=True, on_delete=fields.RESTRICT
    )
    person_id: int | None
    first_seen_at: datetime = fields.DatetimeField()
    last_tap_at: datetime | None = fields.DatetimeField(
        null=True, description="Menu, scan or entry: opens the window of a minute"
    )
    taps_left = fields.IntField(default=0, description="Messages left in that minute")
    last_message_at: datetime | None = fields.DatetimeField(
        null=True, description="They wrote: opens the window of 48 hours"
    )
    messages_left = fields.IntField(default=0, description="Messages left in those 48 hours")
    unsubscribed_at: datetime | None = fields.DatetimeField(
        null=True, description="Since then the official account cannot write to them"
    )

    class Meta:
        table = "chat_sender"
        unique_together = (("account", "openid_index"),)
        indexes = (("person_id",),)


class InboundMessage(Model):
    """One message or event that WeChat delivered, kept before it was acknowledged.

    ``key`` is unique: a repeated delivery finds the first one and its answer.
    """

    id = fields.BigIntField(primary_key=True)
    key = fields.CharField(64, unique=True, description="The same for every delivery of one message")
    sender_index = fields.CharField(64, description="Blind index of the openid, as of the sender")
    kind = fields.CharEnumField(MessageKind, max_length=24)
    body_sealed = fields.TextField(description="The message, empty once it is forgotten")
    received_at: datetime = fields.DatetimeField()
    worker = fields.CharField(32, description="The process that works on it")
    worker_until: datetime = fields.DatetimeField(description="Afterwards any process may take it over")
    attempts = fields.IntField(default=0)
    handled_at: datetime | None = fields.DatetimeField(null=True)
    failed = fields.BooleanField(default=False, description="Given up after too many attempts")
    late = fields.BooleanField(
        default=False, description="Acknowledged before there was an answer: it went out as a message"
    )
    answer_sealed = fields.TextField(default="")

    class Meta:
        table = "inbound_message"


class Conversation(Model):
    """One conversation and where in the chart it stands. One of a sender's is alive at a time."""

    id = fields.BigIntField(primary_key=True)
    sender: fields.ForeignKeyRelation[ChatSender] = fields.ForeignKeyField(
        "models.ChatSender", related_name="conversations", on_delete=fields.RESTRICT
    )
    sender_id: int
    state = fields.CharField(40, description="A state of the chart")
    draft_sealed = fields.TextField(default="", description="What was said so far, JSON")
    version = fields.IntField(default=1, description="Rises with every change")
    started_at: datetime = fields.DatetimeField()
    touched_at: datetime = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)
    form_index = fields.CharField(
        64, default="", db_index=True, description="Blind index of the link to the form, empty: none is out"
    )
    form_until: datetime | None = fields.DatetimeField(null=True, description="The link's end, exclusive")

    class Meta:
        table = "conversation"
        indexes = (("sender_id", "id"), ("ended_at", "touched_at"))


class ChatMedia(Model):
    """A picture, voice, video or file that somebody sent, fetched from WeChat before it expires there."""

    id = fields.BigIntField(primary_key=True)
    sender: fields.ForeignKeyRelation[ChatSender] = fields.ForeignKeyField(
        "models.ChatSender", related_name="media", on_delete=fields.RESTRICT
    )
    sender_id: int
    conversation: fields.ForeignKeyNullableRelation[Conversation] = fields.ForeignKeyField(
        "models.Conversation", related_name="media", null=True, on_delete=fields.RESTRICT
    )
    conversation_id: int | None
    kind = fields.CharEnumField(MessageKind, max_length=24)
    media_id_sealed = fields.TextField(description="WeChat's name for it, good for three days")
    status = fields.CharField(16, default="waiting", description="waiting, kept, expired or refused")
    reason = fields.CharField(64, default="", description="Why it was not kept, a code")
    file: fields.ForeignKeyNullableRelation[StoredFile] = fields.ForeignKeyField(
        "models.StoredFile", related_name="chat_media", null=True, on_delete=fields.RESTRICT
    )
    file_id: int | None
    complaint_id: int | None = fields.BigIntField(null=True, description="The case it is to be added to")
    added_at: datetime | None = fields.DatetimeField(null=True, description="When it was added to the case")
    attempts = fields.IntField(default=0)
    next_at: datetime = fields.DatetimeField(description="When it is tried next")
    received_at: datetime = fields.DatetimeField()
    settled_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "chat_media"
        indexes = (("conversation_id", "id"), ("status", "next_at"), ("complaint_id", "added_at"))


class ContentCheck(Model):
    """What WeChat thinks of a text or a picture that is part of a case. It marks, and stops nothing."""

    id = fields.BigIntField(primary_key=True)
    sender: fields.ForeignKeyRelation[ChatSender] = fields.ForeignKeyField(
        "models.ChatSender", related_name="checks", on_delete=fields.RESTRICT
    )
    sender_id: int
    complaint_id: int | None = fields.BigIntField(null=True, db_index=True)
    file: fields.ForeignKeyNullableRelation[StoredFile] = fields.ForeignKeyField(
        "models.StoredFile", related_name="content_checks", null=True, on_delete=fields.RESTRICT
    )
    file_id: int | None
    text_sealed = fields.TextField(default="", description="The text, empty: it is a file")
    fetch_index = fields.CharField(
        64, default="", db_index=True, description="Blind index of the address WeChat fetches it from"
    )
    trace_index = fields.CharField(
        64, default="", db_index=True, description="Blind index of WeChat's number of the check"
    )
    status = fields.CharField(
        16, default="waiting", description="waiting, asked, passed, risky, review or unchecked"
    )
    label = fields.IntField(default=0, description="WeChat's word for what is wrong with it")
    attempts = fields.IntField(default=0)
    next_at: datetime = fields.DatetimeField(description="When it is asked next, or given up")
    created_at: datetime = fields.DatetimeField()
    settled_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "content_check"
        indexes = (("status", "next_at"), ("file_id", "status"))
