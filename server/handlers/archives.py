"""Archives over HTTP: a result filed with a higher body, papers handed over, and the archive closed."""

from __future__ import annotations

from datetime import date

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.bank_accounts import REASON
from server.handlers.disbursement_views import HandedOver, HandOverView, hand_over_of
from server.handlers.disbursements import BatchPath
from server.handlers.parsing import Body, Day, Id, Path
from server.keys import DISBURSEMENTS
from server.rules.lifecycles import IllegalMove
from server.rules.review import ReasonMissing
from server.services.access import Actor, NotFound
from server.services.disbursements import archives
from server.services.disbursements.archives import (
    BatchNotClosed,
    FilingAhead,
    FilingDone,
    FilingMissing,
    FilingNotAsked,
    HandOverChanged,
    HandOverDecided,
    HandOverExists,
)
from server.services.disbursements.disbursement_book import (
    PAYERS,
    READERS,
    ArchiveClosed,
    NotYourDisbursement,
    SameHands,
)
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.reviews.reviews import CaseMovedOn
from server.services.settlements.settlement_book import SettlementMovedOn

routes = Routes("archives")


class HandOverPath(Path):
    """A hand-over list."""

    hand_over_id: Id = Field(description="The list. | 移交清单编号。")


class FileResult(Body):
    """Under which letter a batch's result was filed."""

    reference: str = Field(
        min_length=2, max_length=64, description="The letter. | 备案文号。", examples=["备〔2020〕12号"]
    )
    filed_on: Day = Field(strict=False, description="When. | 备案日期。", examples=["2020-12-10"])
    files: list[Id] = Field(default=[], max_length=10, description="The letter. | 附件。", examples=[[]])


class HandOverPapers(Body):
    """A remark for whoever receives the papers."""

    remarks: str = Field(default="", max_length=500, description="Remarks. | 备注。", examples=["共两箱"])


class DecideHandOver(Body):
    """Whether the papers are all there."""

    accepted: bool = Field(description="They are. | 是否接收。")
    remarks: str = Field(default="", max_length=500, description=REASON, examples=["缺一份回单"])


class ResultFiled(Answer):
    """A result that was filed."""

    batch_id: int = Field(description="The batch. | 批次编号。")
    filed_with: str = Field(description="With whom. | 备案单位。")
    reference: str = Field(description="Under which letter. | 备案文号。")
    filed_on: date = Field(description="When. | 备案日期。")


@routes.post(
    "/api/v1/payment-batches/{batch_id}/filing",
    summary="Put down that a batch's result was filed. | 登记结果备案。",
    access=staff(*PAYERS),
    answers={201: ResultFiled},
    refusals=(NotYourDisbursement, FilingNotAsked, FilingDone, FilingAhead, BatchNotClosed, ArchiveClosed,
              CaseMovedOn, FilesUnknown, FileUnacceptable, NotFound),
)  # fmt: skip
async def file(request: web.Request, actor: Actor, path: BatchPath, body: FileResult) -> ResultFiled:
    row = await request.app[DISBURSEMENTS].archives.file(
        path.batch_id,
        reference=body.reference,
        filed_on=body.filed_on,
        file_ids=body.files,
        actor=actor,
    )
    return ResultFiled(
        batch_id=row.batch_id, filed_with=row.filed_with, reference=row.reference, filed_on=row.filed_on
    )


@routes.post(
    "/api/v1/payment-batches/{batch_id}/hand-over",
    summary="Hand all papers of a batch over to the archive. | 移交全部材料和回单存档。",
    access=staff(*PAYERS),
    answers={201: HandedOver},
    refusals=(NotYourDisbursement, BatchNotClosed, FilingMissing, HandOverExists, ArchiveClosed, NotFound),
)
async def hand_over(request: web.Request, actor: Actor, path: BatchPath, body: HandOverPapers) -> HandedOver:
    row = await request.app[DISBURSEMENTS].archives.hand_over(
        path.batch_id, remarks=body.remarks, actor=actor
    )
    return HandedOver(**hand_over_of(row))


@routes.get(
    "/api/v1/hand-overs/{hand_over_id}",
    summary="A hand-over list, paper by paper. | 移交清单。",
    access=staff(*READERS),
    answers={200: HandOverView},
    refusals=(NotFound,),
)
async def hand_over_list(request: web.Request, actor: Actor, path: HandOverPath) -> HandOverView:
    return HandOverView(**hand_over_of(await archives.hand_over_for(actor, path.hand_over_id)))


@routes.post(
    "/api/v1/hand-overs/{hand_over_id}/decision",
    summary="Receive the papers and close the archive, or send them back. | 接收存档材料或退回。",
    access=staff(*PAYERS),
    answers={200: HandOverView},
    refusals=(NotYourDisbursement, SameHands, HandOverDecided, HandOverChanged, ReasonMissing, CaseMovedOn,
              SettlementMovedOn, IllegalMove, NotFound),
)  # fmt: skip
async def receive(
    request: web.Request, actor: Actor, path: HandOverPath, body: DecideHandOver
) -> HandOverView:
    row = await request.app[DISBURSEMENTS].archives.receive(
        path.hand_over_id, accepted=body.accepted, remarks=body.remarks, actor=actor
    )
    return HandOverView(**hand_over_of(row))
