"""Relations over HTTP: an organisation declares who represents it and who holds its shares."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes, person, staff
from server.handlers.parsing import Body, Id, Path
from server.keys import CLOCK, SEALER
from server.models.organisations import MemberRole
from server.models.relations import TieDeclaration
from server.rules.findings import FindingKind, Weight
from server.rules.uscc import UsccInvalid
from server.sealing import Sealer
from server.services import access
from server.services.access import Actor, NoOrganisation
from server.services.admissions import related_parties
from server.services.allowances import TooManyToday
from server.services.orders import order_lists
from server.services.organisations import tie_declarations
from server.services.organisations.tie_declarations import Declared, Shareholder, TiesUnusable

routes = Routes("relations")

READERS = staff(*access.IN_THE_FILES)
IN_CHARGE = person(MemberRole.LEGAL_REPRESENTATIVE, MemberRole.HANDLER)
PersonName = Annotated[str, Field(min_length=1, max_length=64)]
IdNumber = Annotated[str, Field(max_length=20)]
Phone = Annotated[str, Field(min_length=5, max_length=20)]

REPRESENTATIVE = "Legal representative. | 法定代表人姓名。"
ID_NUMBER = "Identity number; masked in answers. | 身份证号码，返回时遮盖。"
PHONES = "Telephones; masked in answers. | 联系电话，返回时遮盖。"
ADDRESS = "Where it works. | 办公地址。"
SHARE = "Share in basis points; null: not said. | 持股比例，万分比，空为未填。"
KIND = "person or organisation. | 自然人或单位。"
NAME = "Name. | 姓名或名称。"
NUMBER = "Identity number of a person, code of an organisation. | 身份证号码或统一社会信用代码。"


class ShareholderBody(Body):
    """Somebody who holds shares."""

    kind: Literal["person", "organisation"] = Field(description=KIND)
    name: str = Field(min_length=1, max_length=64, description=NAME, examples=["王芳"])
    number: str = Field(default="", max_length=40, description=NUMBER, examples=[""])
    share_bp: int | None = Field(default=None, ge=1, le=10_000, description=SHARE)


class DeclareTies(Body):
    """Who stands behind my organisation."""

    representative: PersonName = Field(description=REPRESENTATIVE, examples=["李明"])
    representative_id: IdNumber = Field(default="", description=ID_NUMBER, examples=[""])
    phones: list[Phone] = Field(default=[], max_length=10, description=PHONES, examples=[[]])
    address: str = Field(default="", max_length=200, description=ADDRESS, examples=[""])
    shareholders: list[ShareholderBody] = Field(
        default=[], max_length=50, description="Who holds shares. | 股东。", examples=[[]]
    )


class ShareholderView(Answer):
    """Somebody who holds shares."""

    kind: Literal["person", "organisation"] = Field(description=KIND)
    name: str = Field(description=NAME)
    number: str = Field(description=NUMBER)
    share_bp: int | None = Field(description=SHARE)


class TiesView(Answer):
    """What my organisation declared last."""

    number: int = Field(description="The how-manieth declaration; 0: none yet. | 第几次申报，0 为尚未申报。")
    representative: str = Field(description=REPRESENTATIVE)
    representative_id: str = Field(description=ID_NUMBER)
    phones: list[str] = Field(description=PHONES)
    address: str = Field(description=ADDRESS)
    shareholders: list[ShareholderView] = Field(description="Who holds shares. | 股东。")
    declared_at: AwareDatetime | None = Field(description="When. | 申报时间。")


class OrderPath(Path):
    """An order."""

    order_id: Id = Field(description="The order. | 订单编号。")


class FindingView(Answer):
    """One thing that was found."""

    kind: FindingKind = Field(description="tie or price. | 关联关系或价格。")
    weight: Weight = Field(description="holds: somebody looks at it. | 影响程度。")
    code: str = Field(description="Stable code. | 代码。")
    clause: str = Field(description="The provision. | 依据条款。")
    message: str = Field(description="In words. | 说明。")
    arithmetic: str = Field(description="The comparison behind it. | 比较过程。")
    found_at: AwareDatetime = Field(description="When. | 发现时间。")


class FindingsView(Answer):
    """Everything that was found about an order, oldest first."""

    order_id: int = Field(description="The order. | 订单编号。")
    price_fen: int = Field(description="As agreed when it was opened, fen. | 下单价格，单位分。")
    contract_fen: int | None = Field(description="As the contract says, fen. | 合同价格，单位分。")
    price_reason: str = Field(description="Why the price is unlike others. | 价格说明。")
    findings: list[FindingView] = Field(description="The findings. | 核对情况。")


@routes.put(
    "/api/v1/organisations/mine/ties",
    summary="Declare who represents my organisation and who holds its shares; orders are compared with it. "
    "| 申报法定代表人、股东等关联信息，用于核对合同双方的关联关系。",
    access=IN_CHARGE,
    answers={200: TiesView},
    refusals=(NoOrganisation, TiesUnusable, UsccInvalid, TooManyToday),
)
async def declare(request: web.Request, actor: Actor, body: DeclareTies) -> TiesView:
    sealer = request.app[SEALER]
    made = await tie_declarations.declare(
        Declared(
            representative=body.representative,
            representative_id=body.representative_id,
            phones=tuple(body.phones),
            address=body.address,
            shareholders=tuple(
                Shareholder(
                    is_person=one.kind == "person", name=one.name, number=one.number, share_bp=one.share_bp
                )
                for one in body.shareholders
            ),
        ),
        actor=actor,
        sealer=sealer,
        now=request.app[CLOCK].now(),
    )
    return _view(made, sealer)


@routes.get(
    "/api/v1/organisations/mine/ties",
    summary="What my organisation declared last. | 已申报的关联信息。",
    access=PERSON,
    answers={200: TiesView},
    refusals=(NoOrganisation,),
)
async def declared(request: web.Request, actor: Actor) -> TiesView:
    row = await tie_declarations.latest(access.organisation_id_of(actor))
    if row is None:
        return TiesView(
            number=0,
            representative="",
            representative_id="",
            phones=[],
            address="",
            shareholders=[],
            declared_at=None,
        )
    return _view(row, request.app[SEALER])


@routes.get(
    "/api/v1/orders/{order_id}/findings",
    summary="What the system found about an order: ties of its sides, and its price beside others. "
    "| 订单的关联关系和价格核对情况。",
    access=READERS,
    answers={200: FindingsView},
)
async def findings(request: web.Request, actor: Actor, path: OrderPath) -> FindingsView:
    order, _ = await order_lists.one(path.order_id, actor=actor)
    rows = await related_parties.of_order(order.id)
    return FindingsView(
        order_id=order.id,
        price_fen=order.price_fen,
        contract_fen=order.contract_fen,
        price_reason=order.price_reason,
        findings=[
            FindingView(**{name: getattr(row, name) for name in FindingView.model_fields}) for row in rows
        ],
    )


def _view(row: TieDeclaration, sealer: Sealer) -> TiesView:
    known = tie_declarations.shown(row, sealer)
    return TiesView(
        number=row.number,
        representative=known.representative,
        representative_id=known.representative_id,
        phones=list(known.phones),
        address=known.address,
        shareholders=[
            ShareholderView(
                kind="person" if one.is_person else "organisation",
                name=one.name,
                number=one.number,
                share_bp=one.share_bp,
            )
            for one in known.shareholders
        ],
        declared_at=row.declared_at,
    )
