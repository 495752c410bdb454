"""People: who signs in, on which devices, and how often a password was got wrong."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model


class Person(Model):
    """Somebody who signs in with WeChat. What they may do follows from their memberships."""

    id = fields.BigIntField(primary_key=True)
    openid = fields.CharField(
        64, unique=True, description="WeChat's name for this person in our mini-program"
    )
    name = fields.CharField(64, default="")
    phone = fields.CharField(32, default="")
    created_at: datetime = fields.DatetimeField()
    disabled = fields.BooleanField(default=False)
    session_version = fields.IntField(default=1, description="Raised to end every session at once")

    class Meta:
        table = "person"


class Staff(Model):
    """Somebody who works on a programme and signs in with a password."""

    id = fields.BigIntField(primary_key=True)
    username = fields.CharField(32, unique=True, description="Lower case")
    password_hash = fields.CharField(160, description="argon2id, with its parameters and salt")
    display_name = fields.CharField(64)
    roles: list[str] = fields.JSONField(default=list)
    created_at: datetime = fields.DatetimeField()
    disabled = fields.BooleanField(default=False)
    session_version = fields.IntField(default=1, description="Raised to end every session at once")

    class Meta:
        table = "staff"


class SessionFamily(Model):
    """One sign-in on one device: every token descended from it, valid and revoked together.

    Belongs to a person or to a member of staff, never to both.
    """

    id = fields.UUIDField(primary_key=True)
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="sessions", null=True, on_delete=fields.RESTRICT
    )
    staff: fields.ForeignKeyNullableRelation[Staff] = fields.ForeignKeyField(
        "models.Staff", related_name="sessions", null=True, on_delete=fields.RESTRICT
    )
    created_at: datetime = fields.DatetimeField()
    last_used_at: datetime = fields.DatetimeField()
    expires_at: datetime = fields.DatetimeField(description="The end, however often it is refreshed")
    revoked_at: datetime | None = fields.DatetimeField(null=True)
    revoked_reason = fields.CharField(32, default="")

    class Meta:
        table = "session_family"
        indexes = (("person_id", "revoked_at"), ("staff_id", "revoked_at"))


class RefreshToken(Model):
    """One link in a family's chain. The token itself is never stored, only its hash."""

    id = fields.BigIntField(primary_key=True)
    family: fields.ForeignKeyRelation[SessionFamily] = fields.ForeignKeyField(
        "models.SessionFamily", related_name="refresh_tokens", on_delete=fields.RESTRICT
    )
    token_hash = fields.CharField(64, unique=True, description="SHA-256, hex")
    issued_at: datetime = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True, description="When it was exchanged")
    successor_salt = fields.CharField(64, default="", description="With the token, yields its successor, hex")

    class Meta:
        table = "refresh_token"


class SignInFailures(Model):
    """Wrong passwords from one address for one username, known or not.

    Counting by both keeps an attacker from locking anybody else out.
    """

    id = fields.BigIntField(primary_key=True)
    origin_hash = fields.CharField(64, unique=True, description="SHA-256 of address and username, hex")
    failures = fields.IntField()
    last_failed_at: datetime = fields.DatetimeField(db_index=True)

    class Meta:
        table = "sign_in_failures"
