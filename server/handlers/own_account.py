"""A member of staff's own account: signing in, the password, the second factor."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import PUBLIC, Answer, Routes, staff
from server.handlers.bearer import address_of
from server.handlers.parsing import Body
from server.handlers.sessions import NewSession, begun
from server.keys import CLOCK, STAFF_SIGN_IN
from server.services.access import Actor
from server.services.accounts.passwords import SignInBusy, WeakPassword
from server.services.accounts.second_factor import SecondFactorNeeded, SecondFactorWrong
from server.services.accounts.sessions import AccountDisabled
from server.services.accounts.staff_sign_in import (
    CurrentPasswordWrong,
    OneTimePasswordOver,
    SamePassword,
    SecondFactorEnrolled,
    SecondFactorNotBegun,
    TooManyWrongPasswords,
    WrongPassword,
)

routes = Routes("own_account")

DIGITS = "^[0-9]{6}$"


class StaffLogin(Body):
    """A member of staff's name, password and second factor."""

    username: str = Field(
        min_length=1, max_length=32, description="Username. | 用户名。", examples=["operator1"]
    )
    password: str = Field(
        min_length=1, max_length=128, description="Password. | 密码。", examples=["Correct-horse-7"]
    )
    totp: str | None = Field(
        default=None,
        pattern=DIGITS,
        description="The six digits of the authenticator; asked for by second_factor_needed where it was "
        "left out. | 动态口令六位数字；未填而需要时返回 second_factor_needed。",
        examples=["492039"],
    )


class ChangePassword(Body):
    """The present password and the next one."""

    current: str = Field(
        min_length=1, max_length=128, description="Present password. | 现密码。", examples=["Given-by-hand-3"]
    )
    new: str = Field(
        min_length=1, max_length=128, description="New password. | 新密码。", examples=["Correct-horse-7"]
    )


class SecondFactorView(Answer):
    """What the authenticator is told, this once."""

    otpauth_uri: str = Field(
        description="To be shown as a QR code. | 以二维码显示，供动态口令应用扫描。",
        examples=["otpauth://totp/Qiquan:operator1?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Qiquan"],
    )
    secret: str = Field(
        description="The same for typing. | 无法扫码时手工输入。",
        examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"],
    )


class ConfirmSecondFactor(Body):
    """The first digits."""

    totp: str = Field(
        pattern=DIGITS,
        description="Six digits of the authenticator. | 动态口令六位数字。",
        examples=["492039"],
    )


@routes.post(
    "/api/v1/staff/sessions",
    summary="Sign in as staff, with a password and a second factor. | 工作人员登录。",
    access=PUBLIC,
    answers={201: NewSession},
    refusals=(
        WrongPassword,
        SecondFactorNeeded,
        SecondFactorWrong,
        TooManyWrongPasswords,
        OneTimePasswordOver,
        SignInBusy,
        AccountDisabled,
    ),
)
async def sign_in(request: web.Request, body: StaffLogin) -> NewSession:
    signed_in = await request.app[STAFF_SIGN_IN].sign_in(
        body.username,
        body.password,
        body.totp,
        address=address_of(request),
        now=request.app[CLOCK].now(),
    )
    return begun(signed_in)


@routes.put(
    "/api/v1/me/password",
    summary="Change my password; my other sessions end. | 修改密码，其他设备随即退出。",
    access=staff(),
    answers={204: None},
    refusals=(CurrentPasswordWrong, SamePassword, WeakPassword, TooManyWrongPasswords, SignInBusy),
)
async def change_password(request: web.Request, actor: Actor, body: ChangePassword) -> None:
    await request.app[STAFF_SIGN_IN].change_password(
        body.current, body.new, actor=actor, address=address_of(request), now=request.app[CLOCK].now()
    )


@routes.post(
    "/api/v1/me/second-factor",
    summary="Begin with an authenticator. | 绑定动态口令。",
    access=staff(),
    answers={201: SecondFactorView},
    refusals=(SecondFactorEnrolled,),
)
async def enrol(request: web.Request, actor: Actor) -> SecondFactorView:
    enrolment = await request.app[STAFF_SIGN_IN].enrol(actor=actor, now=request.app[CLOCK].now())
    return SecondFactorView(otpauth_uri=enrolment.uri, secret=enrolment.secret)


@routes.post(
    "/api/v1/me/second-factor/confirmation",
    summary="Confirm the authenticator with its first digits. | 以首个动态口令确认绑定。",
    access=staff(),
    answers={204: None},
    refusals=(SecondFactorWrong, SecondFactorEnrolled, SecondFactorNotBegun),
)
async def confirm(request: web.Request, actor: Actor, body: ConfirmSecondFactor) -> None:
    await request.app[STAFF_SIGN_IN].confirm(body.totp, actor=actor, now=request.app[CLOCK].now())
