"""Bank accounts over HTTP: a provider enters where it is paid to, two members of staff verify it."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes, person_or_staff, staff
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query, SeenVersion
from server.keys import DISBURSEMENTS
from server.models.disbursements import BankAccount
from server.programme.registry import UnknownProgramme
from server.rules.disbursements import AccountNumberWrong, AccountStatus, masked
from server.rules.review import ReasonMissing
from server.services.access import Actor, NoOrganisation, NotFound
from server.services.disbursements import bank_accounts
from server.services.disbursements.bank_accounts import (
    AccountHolderDiffers,
    AccountMovedOn,
    AccountWaiting,
    NotAProvider,
)
from server.services.disbursements.disbursement_book import PAYERS, READERS, NotYourDisbursement, SameHands
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.reviews.reviewers import OwnReview

routes = Routes("bank_accounts")

PAGE = 50
REASON = "Why. | 理由。"
VERSION = "The version that was seen. | 所见版本号。"
HOLDER = "The name it is held under. | 户名。"
BANK = "The bank and its branch. | 开户行。"
BANK_CODE = "The branch's code between banks. | 联行号。"


class AccountPath(Path):
    """An account."""

    account_id: Id = Field(description="The account. | 账户编号。")


class EnterAccount(Body):
    """Where one's organisation is to be paid to in a programme."""

    programme: str = Field(
        max_length=64, description="The programme. | 项目代码。", examples=["example-2026"]
    )
    holder: str = Field(min_length=2, max_length=200, description=HOLDER, examples=["远山数字技术有限公司"])
    number: str = Field(
        min_length=4, max_length=64, description="Its number. | 银行账号。", examples=["6222 0200 0000 0001"]
    )
    bank: str = Field(min_length=2, max_length=120, description=BANK, examples=["中国银行城西支行"])
    bank_code: str = Field(
        default="", max_length=16, pattern="^[0-9]*$", description=BANK_CODE, examples=["104343010019"]
    )
    files: list[Id] = Field(
        default=[], max_length=10, description="Its proof. | 开户证明文件。", examples=[[]]
    )


class SeenAccount(Body):
    """Which version of an account was compared with its proof."""

    version: SeenVersion


class RejectAccount(SeenAccount):
    """Why an account is turned down."""

    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["户名与开户证明不符"])


class RevealAccount(Body):
    """Why the whole number is looked at."""

    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["与开户证明核对"])


class AccountView(Answer):
    """An account, its number by its last digits."""

    id: int = Field(description="The account. | 账户编号。")
    programme: str = Field(description="The programme. | 项目代码。")
    organisation_id: int = Field(description="The provider. | 服务机构编号。")
    organisation: str = Field(description="Its name. | 服务机构名称。")
    holder: str = Field(description=HOLDER)
    number: str = Field(description="Masked. | 账号，仅显示末四位。")
    bank: str = Field(description=BANK)
    bank_code: str = Field(description=BANK_CODE)
    files: list[int] = Field(description="Its proof. | 开户证明文件。")
    status: AccountStatus = Field(description="Where it stands. | 状态。")
    reason: str = Field(description="Why it was turned down. | 未通过的理由。")
    entered_at: AwareDatetime = Field(description="When it was entered. | 登记时间。")
    checked_at: AwareDatetime | None = Field(description="The first look. | 核对时间。")
    verified_at: AwareDatetime | None = Field(description="The second look. | 复核时间。")
    version: int = Field(description=VERSION)


class AccountEntered(AccountView):
    """An account just entered."""


class AccountNumberView(Answer):
    """The whole number of an account; that it was seen is in the journal."""

    number: str = Field(description="The number. | 银行账号。")


class AccountsQuery(Query):
    """Which accounts."""

    programme: str | None = Field(default=None, max_length=64, description="The programme. | 项目代码。")
    status: AccountStatus | None = Field(default=None, description="Where they stand. | 状态。")
    after: AfterId = 0


class AccountsView(Answer):
    """A page of accounts, by id."""

    accounts: list[AccountView] = Field(description="The accounts. | 账户。")
    next_after: NextPage


@routes.post(
    "/api/v1/bank-accounts",
    summary="Enter where my organisation is paid to. | 登记收款账户。",
    access=IN_CHARGE,
    answers={201: AccountEntered},
    refusals=(AccountNumberWrong, AccountHolderDiffers, AccountWaiting, NotAProvider, UnknownProgramme,
              NoOrganisation, FilesUnknown, FileUnacceptable),
)  # fmt: skip
async def enter(request: web.Request, actor: Actor, body: EnterAccount) -> AccountEntered:
    made = await request.app[DISBURSEMENTS].accounts.enter(
        body.programme,
        holder=body.holder,
        number=body.number,
        bank=body.bank,
        bank_code=body.bank_code,
        proof=body.files,
        actor=actor,
    )
    return AccountEntered(**_account(await bank_accounts.account_for(actor, made.id)))


@routes.get(
    "/api/v1/bank-accounts",
    summary="Accounts: my organisation's, or those of my programmes. | 收款账户列表。",
    access=person_or_staff(*READERS),
    answers={200: AccountsView},
    refusals=(NoOrganisation,),
)
async def every(request: web.Request, actor: Actor, query: AccountsQuery) -> AccountsView:
    rows = await bank_accounts.page(
        actor, programme=query.programme, status=query.status, after=query.after, limit=PAGE + 1
    )
    return AccountsView(
        accounts=[AccountView(**_account(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.post(
    "/api/v1/bank-accounts/{account_id}/withdrawal",
    summary="Take back an account that nobody has verified. | 撤回待核验的账户。",
    access=IN_CHARGE,
    answers={200: AccountView},
    refusals=(AccountMovedOn, NotFound, NoOrganisation),
)
async def withdraw(request: web.Request, actor: Actor, path: AccountPath) -> AccountView:
    await request.app[DISBURSEMENTS].accounts.withdraw(path.account_id, actor=actor)
    return await _shown(actor, path)


@routes.post(
    "/api/v1/bank-accounts/{account_id}/verification",
    summary="Verify an account: the first look, or the second one, by another. | 核对或复核账户。",
    access=staff(*PAYERS),
    answers={200: AccountView},
    refusals=(AccountMovedOn, NotYourDisbursement, SameHands, OwnReview, NotFound),
)
async def verify(request: web.Request, actor: Actor, path: AccountPath, body: SeenAccount) -> AccountView:
    await request.app[DISBURSEMENTS].accounts.verify(path.account_id, version=body.version, actor=actor)
    return await _shown(actor, path)


@routes.post(
    "/api/v1/bank-accounts/{account_id}/rejection",
    summary="Turn an account down. | 账户不予通过。",
    access=staff(*PAYERS),
    answers={200: AccountView},
    refusals=(AccountMovedOn, NotYourDisbursement, OwnReview, ReasonMissing, NotFound),
)
async def reject(request: web.Request, actor: Actor, path: AccountPath, body: RejectAccount) -> AccountView:
    await request.app[DISBURSEMENTS].accounts.reject(
        path.account_id, version=body.version, reason=body.reason, actor=actor
    )
    return await _shown(actor, path)


@routes.post(
    "/api/v1/bank-accounts/{account_id}/number",
    summary="The whole number, for whoever compares it; journaled. | 查看完整账号（记录在案）。",
    access=person_or_staff(*PAYERS),
    answers={200: AccountNumberView},
    refusals=(NotYourDisbursement, ReasonMissing, NotFound, NoOrganisation),
)
async def reveal(
    request: web.Request, actor: Actor, path: AccountPath, body: RevealAccount
) -> AccountNumberView:
    number = await request.app[DISBURSEMENTS].accounts.reveal(
        path.account_id, reason=body.reason, actor=actor
    )
    return AccountNumberView(number=number)


async def _shown(actor: Actor, path: AccountPath) -> AccountView:
    return AccountView(**_account(await bank_accounts.account_for(actor, path.account_id)))


def _account(row: BankAccount) -> dict[str, Any]:
    own = ("id", "organisation_id", "holder", "bank", "bank_code", "status", "reason", "version")
    times = ("entered_at", "checked_at", "verified_at")
    return {
        **{name: getattr(row, name) for name in (*own, *times)},
        "programme": row.programme_slug,
        "organisation": row.organisation.name,
        "number": masked(row.tail),
        "files": row.proof,
    }
