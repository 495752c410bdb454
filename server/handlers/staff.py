"""Staff accounts over HTTP: what the administrator does, and nobody else."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query
from server.keys import STAFF_ACCOUNTS
from server.models.people import Staff
from server.programme.registry import UnknownProgramme
from server.rules.uscc import UsccInvalid
from server.services.access import Actor, StaffRole
from server.services.accounts import staff as accounts
from server.services.accounts.passwords import SignInBusy
from server.services.accounts.staff import (
    AccountUnchanged,
    AreaUnknown,
    DistrictWithoutArea,
    Duties,
    DutiesIncompatible,
    LastAdministrator,
    OwnAccount,
    StaffRoleUnknown,
    UsernameTaken,
    UsernameUnusable,
)

routes = Routes("staff")

ADMINISTRATOR = staff(StaffRole.ADMINISTRATOR)
UNUSABLE = (
    StaffRoleUnknown,
    DutiesIncompatible,
    DistrictWithoutArea,
    AreaUnknown,
    UnknownProgramme,
    UsccInvalid,
)
PAGE = 50
MOST = 100
"""Programmes, areas or affiliations of one account."""

ROLES = (
    "operator, authority, division, district, treasury, inspector, expert, oversight_body, auditor or "
    "administrator; the last two go with no other. | 岗位：运营、主管部门、职能处室、区主管部门、财政、"
    "第三方机构、专家、监督机关、审计、账号管理员，后两者不得兼任。"
)
PROGRAMMES = "Slugs; none: every programme. | 项目代码，为空表示全部项目。"
AREAS = (
    "Sees organisations in or below these alone; none: everywhere. A district department names its own. "
    "| 只看这些区域内的单位，为空表示不限；区主管部门必填。"
)
AFFILIATIONS = (
    "Unified social credit codes of organisations the person may not decide on. "
    "| 有利害关系、须回避的单位的统一社会信用代码。"
)


class DutiesBody(Body):
    """What an account is there for."""

    roles: list[StaffRole] = Field(min_length=1, max_length=10, description=ROLES, examples=[["operator"]])
    programmes: list[str] = Field(default=[], max_length=MOST, description=PROGRAMMES, examples=[[]])
    areas: list[str] = Field(default=[], max_length=MOST, description=AREAS, examples=[[]])
    affiliations: list[str] = Field(default=[], max_length=MOST, description=AFFILIATIONS, examples=[[]])


class NewAccount(DutiesBody):
    """Somebody new."""

    username: str = Field(
        min_length=3, max_length=32, description="Username. | 用户名。", examples=["operator2"]
    )
    display_name: str = Field(min_length=1, max_length=64, description="Name. | 姓名。", examples=["王伟"])


class Reason(Body):
    """Why a thing is done to an account."""

    reason: str = Field(min_length=2, max_length=500, description="Why. | 原因。", examples=["岗位调整"])


class StaffPath(Path):
    """An account."""

    staff_id: Id = Field(description="The account. | 账号编号。")


class StaffQuery(Query):
    """Which accounts."""

    role: StaffRole | None = Field(default=None, description="Only with this role. | 只看该岗位。")
    after: int = Field(default=0, ge=0, description="After this account's id. | 从该编号之后开始。")


class AccountView(Answer):
    """An account."""

    id: int = Field(description="The account. | 账号编号。")
    username: str = Field(description="Username. | 用户名。", examples=["operator1"])
    display_name: str = Field(description="Name. | 姓名。", examples=["王伟"])
    roles: list[StaffRole] = Field(description=ROLES)
    programmes: list[str] = Field(description=PROGRAMMES)
    areas: list[str] = Field(description=AREAS)
    affiliations: list[str] = Field(description=AFFILIATIONS)
    created_at: AwareDatetime = Field(description="Since when. | 创建时间。")
    disabled: bool = Field(description="Barred. | 是否停用。")
    has_second_factor: bool = Field(description="An authenticator is in use. | 是否已绑定动态口令。")
    one_time_password_until: AwareDatetime | None = Field(
        description="A one-time password is good until then. | 一次性密码的有效期，已改密则为空。"
    )


class AccountList(Answer):
    """A page of accounts, by id."""

    accounts: list[AccountView] = Field(description="The accounts. | 账号列表。")
    next_after: NextPage


class AccountGiven(Answer):
    """An account and its one-time password, shown this once."""

    account: AccountView = Field(description="The account. | 账号。")
    one_time_password: str = Field(
        description="To be handed over in person; replaced at the first sign-in. "
        "| 一次性密码，只显示这一次，须当面转交，首次登录后必须修改。",
        examples=["kM7w-Pz3e-x9RD-fH4a"],
    )


class PasswordGiven(AccountGiven):
    """The same after a reset."""


@routes.post(
    "/api/v1/staff",
    summary="Make an account. | 新建工作人员账号。",
    access=ADMINISTRATOR,
    answers={201: AccountGiven},
    refusals=(UsernameUnusable, UsernameTaken, SignInBusy, *UNUSABLE),
)
async def create(request: web.Request, actor: Actor, body: NewAccount) -> AccountGiven:
    row, password = await request.app[STAFF_ACCOUNTS].create(
        body.username, body.display_name, _duties(body), actor=actor
    )
    return AccountGiven(account=_view(row), one_time_password=password)


@routes.get(
    "/api/v1/staff",
    summary="Accounts by id. | 工作人员账号列表。",
    access=ADMINISTRATOR,
    answers={200: AccountList},
)
async def every(request: web.Request, query: StaffQuery) -> AccountList:
    rows = await accounts.page(role=query.role, after=query.after, limit=PAGE + 1)
    return AccountList(
        accounts=[_view(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/staff/{staff_id}",
    summary="One account. | 账号详情。",
    access=ADMINISTRATOR,
    answers={200: AccountView},
)
async def one(request: web.Request, path: StaffPath) -> AccountView:
    return _view(await accounts.one(path.staff_id))


@routes.put(
    "/api/v1/staff/{staff_id}/duties",
    summary="Give an account other duties; its sessions end at once. | 调整岗位与范围，随即强制退出。",
    access=ADMINISTRATOR,
    answers={200: AccountView},
    refusals=(OwnAccount, LastAdministrator, *UNUSABLE),
)
async def change_duties(request: web.Request, actor: Actor, path: StaffPath, body: DutiesBody) -> AccountView:
    row = await request.app[STAFF_ACCOUNTS].change_duties(path.staff_id, _duties(body), actor=actor)
    return _view(row)


@routes.post(
    "/api/v1/staff/{staff_id}/disabling",
    summary="Bar an account; its sessions end at once. | 停用账号，随即强制退出。",
    access=ADMINISTRATOR,
    answers={200: AccountView},
    refusals=(OwnAccount, LastAdministrator, AccountUnchanged),
)
async def disable(request: web.Request, actor: Actor, path: StaffPath, body: Reason) -> AccountView:
    return _view(await request.app[STAFF_ACCOUNTS].disable(path.staff_id, body.reason, actor=actor))


@routes.post(
    "/api/v1/staff/{staff_id}/enabling",
    summary="Let a barred account in again. | 恢复账号。",
    access=ADMINISTRATOR,
    answers={200: AccountView},
    refusals=(OwnAccount, AccountUnchanged),
)
async def enable(request: web.Request, actor: Actor, path: StaffPath, body: Reason) -> AccountView:
    return _view(await request.app[STAFF_ACCOUNTS].enable(path.staff_id, body.reason, actor=actor))


@routes.post(
    "/api/v1/staff/{staff_id}/password-reset",
    summary="A one-time password instead of a forgotten one. | 重置密码。",
    access=ADMINISTRATOR,
    answers={200: PasswordGiven},
    refusals=(OwnAccount, SignInBusy),
)
async def reset_password(request: web.Request, actor: Actor, path: StaffPath, body: Reason) -> PasswordGiven:
    row, password = await request.app[STAFF_ACCOUNTS].reset_password(path.staff_id, body.reason, actor=actor)
    return PasswordGiven(account=_view(row), one_time_password=password)


@routes.post(
    "/api/v1/staff/{staff_id}/second-factor-reset",
    summary="Take a lost authenticator off an account. | 解除动态口令绑定。",
    access=ADMINISTRATOR,
    answers={200: AccountView},
    refusals=(OwnAccount,),
)
async def reset_second_factor(
    request: web.Request, actor: Actor, path: StaffPath, body: Reason
) -> AccountView:
    row = await request.app[STAFF_ACCOUNTS].reset_second_factor(path.staff_id, body.reason, actor=actor)
    return _view(row)


def _duties(body: DutiesBody) -> Duties:
    return Duties(
        roles=[role.value for role in body.roles],
        programmes=body.programmes,
        areas=body.areas,
        affiliations=body.affiliations,
    )


def _view(row: Staff) -> AccountView:
    told: dict[str, Any] = {
        name: getattr(row, name) for name in AccountView.model_fields if hasattr(row, name)
    }
    return AccountView(
        **told,
        has_second_factor=row.totp_confirmed_at is not None,
        one_time_password_until=row.password_expires_at,
    )
