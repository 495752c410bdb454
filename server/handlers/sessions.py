"""Sessions over HTTP: signing in with WeChat, staying signed in, signing out; and who I am."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from aiohttp import web
from pydantic import Field

from server.gateways.wechat import LoginBlocked, LoginCodeInvalid, TooManyLogins
from server.gateways.wechat_http import WechatUnavailable
from server.handlers.api import PERSON, PUBLIC, SIGNED_IN, Answer, Routes
from server.handlers.parsing import Body
from server.keys import CLOCK, SEALER, SESSIONS, STAFF_SIGN_IN, WECHAT
from server.services.access import Actor, SessionEnded
from server.services.accounts import people, sessions
from server.services.accounts.sessions import (
    AccountDisabled,
    RefreshTokenReused,
    RefreshTokenUnknown,
    SignedIn,
)
from server.services.accounts.staff_sign_in import Owed

routes = Routes("sessions")

FROM_WECHAT = (LoginCodeInvalid, TooManyLogins, LoginBlocked, WechatUnavailable)


class WechatLogin(Body):
    """What ``wx.login`` gives."""

    code: str = Field(
        min_length=1,
        max_length=128,
        description="The code of wx.login: good once, for five minutes. "
        "| wx.login 返回的 code，五分钟内一次有效。",
        examples=["0a3Kx10w3Yp2"],
    )


class PhoneCode(Body):
    """What the ``getPhoneNumber`` button gives."""

    code: str = Field(
        min_length=1,
        max_length=128,
        description="The code of the getPhoneNumber button. | getPhoneNumber 按钮返回的 code。",
        examples=["e31968a7f94cc5ee"],
    )


class Refresh(Body):
    """A refresh token to exchange."""

    refresh_token: str = Field(
        min_length=1,
        max_length=128,
        description="The newest refresh token of this device. | 本设备最新的刷新令牌。",
        examples=["Zx0mJ3o5Qm1R8yXoM6sKk2T7b9cWqLr4uVtNfHgPdEa"],
    )


class Tokens(Answer):
    """What a device keeps while it is signed in."""

    access_token: str = Field(
        description="Send it as Authorization: Bearer. | 放在 Authorization: Bearer 请求头里。",
        examples=["eyJhbGciOiJIUzI1NiIsImtpZCI6IjIwMjZhIiwidHlwIjoiYXQrand0In0.e30.c2lnbmF0dXJl"],
    )
    access_expires_at: datetime = Field(
        description="From then on exchange the refresh token. | 到此时刻后用刷新令牌换新。",
        examples=["2026-03-02T17:30:00+08:00"],
    )
    refresh_token: str = Field(
        description="Good for one exchange; a retry within two minutes gets the same answer. "
        "| 只能换一次；两分钟内重试会得到同样的结果。",
        examples=["Zx0mJ3o5Qm1R8yXoM6sKk2T7b9cWqLr4uVtNfHgPdEa"],
    )
    session_expires_at: datetime = Field(
        description="The end of the session: then sign in again. | 会话结束时刻，届时需重新登录。",
        examples=["2026-04-01T17:00:00+08:00"],
    )


class NewSession(Tokens):
    """A session just begun."""


class Me(Answer):
    """Whoever is asking."""

    kind: Literal["person", "staff"] = Field(
        description="person: signed in with WeChat. | person 为微信登录的个人，staff 为工作人员。"
    )
    id: int = Field(description="Their number. | 编号。", examples=[12])
    name: str = Field(description="Name, empty if not given yet. | 姓名，未填写则为空。", examples=["李娜"])
    masked_phone: str = Field(
        description="Phone with the middle hidden, empty if not shared. "
        "| 隐去中间几位的手机号，未授权则为空。",
        examples=["199****1234"],
    )
    organisation_id: int | None = Field(
        description="The organisation they act for. | 所代表的单位编号。", examples=[7]
    )
    roles: list[str] = Field(
        description="In the organisation, or as staff. | 在单位中的身份，或工作岗位。", examples=[["handler"]]
    )
    programmes: list[str] = Field(
        description="Staff: the programmes they work on; none: every one. | 工作人员负责的项目，空为全部。",
        examples=[[]],
    )
    areas: list[str] = Field(
        description="Staff: the areas whose organisations they see; none: everywhere. "
        "| 工作人员负责的区域，空为不限。",
        examples=[[]],
    )
    owed: list[Owed] = Field(
        description="Staff: what is to be made up before their roles count in this session: "
        "change_password, enrol_second_factor. "
        "| 工作人员本次登录须先完成：修改密码、绑定动态口令；未完成前没有任何岗位权限。",
        examples=[[]],
    )


@routes.post(
    "/api/v1/sessions",
    summary="Sign in with WeChat. | 微信登录。",
    access=PUBLIC,
    answers={201: NewSession},
    refusals=(*FROM_WECHAT, AccountDisabled),
)
async def sign_in(request: web.Request, body: WechatLogin) -> NewSession:
    signed_in = await sessions.sign_in_with_wechat(
        body.code,
        wechat=request.app[WECHAT],
        sessions=request.app[SESSIONS],
        sealer=request.app[SEALER],
        now=request.app[CLOCK].now(),
    )
    return begun(signed_in)


@routes.post(
    "/api/v1/sessions/refresh",
    summary="Exchange a refresh token for new tokens. | 用刷新令牌换取新的令牌。",
    access=PUBLIC,
    answers={200: Tokens},
    refusals=(RefreshTokenUnknown, RefreshTokenReused, SessionEnded, AccountDisabled),
)
async def refresh(request: web.Request, body: Refresh) -> Tokens:
    signed_in = await request.app[SESSIONS].refresh(body.refresh_token, now=request.app[CLOCK].now())
    return Tokens(**_tokens(signed_in))


@routes.delete(
    "/api/v1/sessions/current",
    summary="Sign out on this device. | 退出本设备的登录。",
    access=SIGNED_IN,
    answers={204: None},
)
async def sign_out(request: web.Request, actor: Actor) -> None:
    await request.app[SESSIONS].end(actor, now=request.app[CLOCK].now())


@routes.delete(
    "/api/v1/sessions",
    summary="Sign out on every device. | 退出所有设备的登录。",
    access=SIGNED_IN,
    answers={204: None},
)
async def sign_out_everywhere(request: web.Request, actor: Actor) -> None:
    await request.app[SESSIONS].end_all(actor, now=request.app[CLOCK].now())


@routes.get(
    "/api/v1/me",
    summary="Who am I, and for which organisation? | 我是谁，代表哪家单位。",
    access=SIGNED_IN,
    answers={200: Me},
)
async def me(request: web.Request, actor: Actor) -> Me:
    owed = await request.app[STAFF_SIGN_IN].owed_in(actor) if actor.kind == "staff" else ()
    return _me(actor, await people.profile(actor, sealer=request.app[SEALER]), owed)


@routes.put(
    "/api/v1/me/phone",
    summary="Share my phone number through WeChat. | 授权微信手机号。",
    access=PERSON,
    answers={200: Me},
    refusals=FROM_WECHAT,
)
async def share_phone(request: web.Request, actor: Actor, body: PhoneCode) -> Me:
    profile = await people.bind_phone(
        actor,
        body.code,
        wechat=request.app[WECHAT],
        sealer=request.app[SEALER],
        now=request.app[CLOCK].now(),
    )
    return _me(actor, profile)


def begun(signed_in: SignedIn) -> NewSession:
    """A session just begun, as it is told."""
    return NewSession(**_tokens(signed_in))


def _tokens(signed_in: SignedIn) -> dict[str, str | datetime]:
    return {field: getattr(signed_in, field) for field in Tokens.model_fields}


def _me(actor: Actor, profile: people.Profile, owed: Sequence[Owed] = ()) -> Me:
    return Me(
        kind=actor.kind,
        id=actor.id,
        name=profile.name,
        masked_phone=profile.masked_phone,
        organisation_id=actor.organisation_id,
        roles=sorted(actor.roles),
        programmes=sorted(actor.programmes),
        areas=sorted(actor.areas),
        owed=list(owed),
    )
