"""People: who signs in, on which devices, and how often a password was got wrong."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.sealing import SEALED_LENGTH


class Person(Model):
    """Somebody who signs in with WeChat. What they may do follows from their memberships."""

    id = fields.BigIntField(primary_key=True)
    account = fields.CharField(
        64, unique=True, description="Blind index of WeChat's openid, or the name of a demo account"
    )
    openid_sealed = fields.CharField(SEALED_LENGTH, default="", description="To write to them by WeChat")
    unionid_index = fields.CharField(
        64, default="", db_index=True, description="Blind index of the name across the operator's accounts"
    )
    name = fields.CharField(64, default="")
    phone_sealed = fields.CharField(SEALED_LENGTH, default="", description="As WeChat vouches for it")
    created_at: datetime = fields.DatetimeField()
    disabled = fields.BooleanField(default=False)
    session_version = fields.IntField(default=1, description="Raised to end every session at once")

    class Meta:
        table = "person"


class Staff(Model):
    """Somebody of the official side, who signs in with a password and a second factor."""

    id = fields.BigIntField(primary_key=True)
    username = fields.CharField(32, unique=True, description="Lower case")
    password_hash = fields.CharField(160, description="argon2id, with its parameters and salt")
    password_expires_at: datetime | None = fields.DatetimeField(
        null=True, description="Set while the password is an administrator's one-time one: its end"
    )
    totp_sealed = fields.CharField(SEALED_LENGTH, default="", description="The authenticator's secret")
    totp_confirmed_at: datetime | None = fields.DatetimeField(
        null=True, description="Since then the second factor is asked for"
    )
    totp_last_step = fields.BigIntField(default=0, description="The half minute whose digits were used last")
    display_name = fields.CharField(64)
    roles: list[str] = fields.JSONField(default=list)
    programmes: list[str] = fields.JSONField(default=list, description="Slugs, empty: every programme")
    areas: list[str] = fields.JSONField(
        default=list, description="Only organisations in or below these, empty: everywhere"
    )
    affiliations: list[str] = fields.JSONField(
        default=list, description="Codes (USCC) of organisations they may not decide on"
    )
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
    limited = fields.BooleanField(default=False, description="Holds no role yet: the account is being set up")
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
