"""Settling: from a finished order to the money in the bank and a closed archive, through the API alone.

What a programme asks is read from its file: who applies and in which window, which forms are stamped, whose
turn it is in the chain, who draws up, approves and pays a batch, whether a result is filed and papers are
handed over. Everything that two people have to do is done by two.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from server.programme.model import Programme
from server.programme.oversight import Measure
from server.programme.papers import AmountRule, Document, DocumentKind
from server.programme.review import ReviewKind
from server.programme.vocabulary import Actor
from server.rules.settlements import asked_documents, for_all
from tools import verify_case
from walks.callers import Caller, WalkFailed
from walks.officials import Officials
from walks.ordering import Deal
from walks.paperwork import scan

LONGEST = 60
"""Steps after which a chain is thought to go round in a circle."""
WHY = "核对无误"
PATIENCE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.5
NUMBER_DIGITS = 16

_numbers = count(1)


@dataclass(slots=True)
class Settling:
    """One finished order on its way to the bank."""

    deal: Deal
    officials: Officials
    order: Mapping[str, Any]
    id: int = 0
    case_id: int = 0
    batch_id: int = 0
    drew: bool = False
    """Whether a sample was drawn from what had passed."""

    @property
    def programme(self) -> Programme:
        return self.deal.programme

    @property
    def today(self) -> str:
        return self.deal.now.date().isoformat()

    # -- the provider asks for its money -------------------------------------------------------------------

    async def apply(self) -> None:
        """Hand in one application for the order, with its papers and stamped forms."""
        await self._open_window()
        applicant = self._applicant()
        made = await applicant.post("settlement-applications", order_ids=[self.order["id"]])
        application = made.must(201, "an application is begun")["application"]
        path = f"settlement-applications/{application['id']}"
        papers = [
            await self._paper(one) for one in self._asked() if one.kind is not DocumentKind.SETTLEMENT_FORM
        ]
        if any(one.template for one in asked_documents(self.programme)):
            printed = (await applicant.post(f"{path}/forms")).must(201, "its forms are printed")["forms"]
            papers += [
                {"code": one["code"], "file_ids": [await self._upload(one["code"], "settlement_form")]}
                for one in printed
            ]
        if papers:
            body = {"papers": papers, "version": application["version"]}
            said = await applicant.call("PUT", f"{path}/papers", body=body)
            application = said.must(200, "its papers are handed in")["application"]
        sent = await applicant.post(f"{path}/submission", version=application["version"])
        filed = sent.must(200, "the application is handed in")
        (line,) = filed["orders"]
        self.id, self.case_id = line["settlement"]["id"], line["settlement"]["case_id"]

    def _applicant(self) -> Caller:
        claimed_by = self.programme.settlement.claimed_by
        if claimed_by is Actor.PROVIDER:
            return self.deal.provider.caller
        return self.officials.first(claimed_by)

    async def _open_window(self) -> None:
        if self.programme.settlement.windows_per_year_max is None:
            return
        said = await self.officials.first(Actor.AUTHORITY).post(
            "settlement-windows",
            programme=self.programme.slug,
            name="集中兑付",
            opens_at=self.deal.now.isoformat(),
            closes_at=(self.deal.now + timedelta(days=20)).isoformat(),
        )
        said.must(201, "the authority announces a window")

    def _asked(self) -> list[Document]:
        """What is owed beside the order's own papers; of several that stand for each other, the first."""
        owed, groups = [], set[str]()
        for document in asked_documents(self.programme):
            if not document.required or (document.groups and groups.issuperset(document.groups)):
                continue
            groups |= set(document.groups)
            owed.append(document)
        return owed

    async def _paper(self, document: Document) -> dict[str, Any]:
        money = document.amount is AmountRule.OWN_SHARE
        return {
            "code": document.code,
            "order_id": None if for_all(document) else self.order["id"],
            "file_ids": [await self._upload(document.code, document.kind.value)],
            "number": f"{next(_numbers):020d}" if money else "",
            "amount_fen": self.order["own_share_fen"] if money else None,
            "dated": self.today,
            "payer": self.deal.enterprise.part.name if money else "",
            "payee": self.deal.provider.part.name if money else "",
        }

    async def _upload(self, code: str, kind: str) -> int:
        said = await self._applicant().send(
            "files",
            scan(f"settlement {code} {next(_numbers)}"),
            "application/pdf",
            programme=self.programme.slug,
            kind=kind,
            name=f"{code}.pdf",
        )
        return int(said.must(201, f"{code} is uploaded")["id"])

    # -- officials decide ----------------------------------------------------------------------------------

    async def decide(self) -> bool:
        """Let everybody decide whose turn it is; whether nothing but a notice's days is waited for now."""
        for _ in range(LONGEST):
            case = await self.officials.look(self.case_id)
            if case["status"] == "on_notice":
                return True
            kind = next((one["kind"] for one in case["steps"] if one["state"] == "current"), "")
            if kind == ReviewKind.DISBURSEMENT.value:
                return False
            if case["status"] != "open":
                raise WalkFailed(f"the settlement's case is {case['status']} at “{case['step']}”")
            if kind == ReviewKind.PUBLIC_NOTICE.value:
                await self._publish(Actor(case["turn"]))
            elif kind == ReviewKind.SPOT_CHECK.value and not self.drew:
                await self._draw()
            else:
                approved = await self.officials.decide(self.case_id, "approve")
                approved.must(200, f"“{case['step']}” is approved")
        raise WalkFailed("the settlement's chain does not end")

    async def _draw(self) -> None:
        """Commit to a seed, lock the list, draw; anybody may then draw again from what was published."""
        step = next(
            one
            for chain in self.programme.reviews
            for one in chain.steps
            if one.kind is ReviewKind.SPOT_CHECK
        )
        check = next(one for one in self.programme.samplings if one.share_bp == step.share_bp)
        desk = self.officials.first(step.by)
        said = await desk.post(
            "sampling-draws", programme=self.programme.slug, code=check.code, over="review"
        )
        draw = said.must(201, "a draw is announced")
        path = f"sampling-draws/{draw['id']}"
        locked = (await desk.post(f"{path}/lock", version=draw["version"])).must(200, "the list is locked")
        drawn = await desk.post(f"{path}/draw", version=locked["version"])
        if not drawn.must(200, "the sample is drawn")["seed"]:
            raise WalkFailed("a draw has no seed")
        (await self.officials.anybody.get(f"{path}/list")).must(200, "anybody reads the list")
        self.drew = True

    async def _publish(self, role: Actor) -> None:
        """One drafts the notice, another publishes it, and each channel shows it."""
        first, second, *_ = self.officials.desks[role.value]
        drafted = await first.post("notice-drafts", programme=self.programme.slug)
        path = f"notice-drafts/{drafted.must(201, 'a notice is drafted')['id']}"
        seen = (await second.get(path)).must(200, "the other looks at the draft")
        published = await second.post(f"{path}/publication", version=seen["version"], sha256=seen["sha256"])
        notice = published.must(200, "the notice is published")
        for channel in notice["channels"]:
            if channel["shown_on"] is None:
                shown = await first.post(
                    f"public-notices/{notice['id']}/showings",
                    channel=channel["channel"],
                    shown_on=self.today,
                    url="https://example.com/notice.html",
                )
                shown.must(200, f"{channel['channel']} shows it")
        anybody = await self.officials.anybody.get(f"public-notices/{notice['id']}")
        anybody.must(200, "anybody reads the notice")

    # -- the money leaves ----------------------------------------------------------------------------------

    async def pay(self) -> None:
        """A verified account, a batch that one draws up and another approves, and the bank's receipt."""
        await self._open_account()
        await self._look_into()
        maker, other, *_ = self.officials.desks[self.programme.disbursement.paid_by.value]
        approvers = self.officials.desks[self.programme.disbursement.approved_by.value]
        approver = approvers[1]
        year = (await maker.get(f"settlements/{self.id}")).must(200, "the payer looks at the settlement")
        wanted = {"programme": self.programme.slug, "year": year["settlement"]["year"], "reason": WHY}
        draft = await maker.post("payment-batches", **wanted)
        if draft.code == "nothing_payable":
            # What is put up for the bank is looked through on the spot, before any job has come by.
            await self._look_into()
            draft = await maker.post("payment-batches", **wanted)
        batch = draft.must(201, "a batch is drawn up")
        self.batch_id = batch["id"]
        path = f"payment-batches/{batch['id']}"
        if self.programme.disbursement.documents:
            await self._summary_invoice(path, other)
        approved = await approver.post(f"{path}/approval", version=batch["version"], reason=WHY)
        batch = approved.must(200, "another approves it")
        sender = maker
        sent = await sender.post(f"{path}/sending", version=batch["version"], template="general")
        sent.must(200, "it is sent to the bank")
        taken = await sender.post(f"{path}/file", format="csv", reason="导入网银")
        if not taken.must(200, "the bank's file is taken"):
            raise WalkFailed("the bank's file is empty")
        await self._receipts(path, other)
        if year["settlement"]["escrow_fen"]:
            await self._transfer_escrow(maker, approver, other, wanted["year"])

    async def _transfer_escrow(self, maker: Caller, approver: Caller, desk: Caller, year: int) -> None:
        """What was released of the enterprise's own money goes to the provider by the bank, too."""
        wanted = {"programme": self.programme.slug, "year": year, "source": "escrow", "reason": WHY}
        drafted = await maker.post("payment-batches", **wanted)
        batch = drafted.must(201, "a batch of released escrow is drawn up")
        path = f"payment-batches/{batch['id']}"
        approved = await approver.post(f"{path}/approval", version=batch["version"], reason=WHY)
        version = approved.must(200, "another approves it")["version"]
        sent = await maker.post(f"{path}/sending", version=version, template="general")
        sent.must(200, "it is sent to the bank")
        await self._receipts(path, desk)

    async def _look_into(self) -> None:
        """What looked wrong, as it does where everything is done in a day, is looked into and explained."""
        roles = [
            one.decided_by for one in self.programme.sanctions if Measure.HOLD_SETTLEMENT in one.measures
        ]
        desk = self.officials.first(Actor.AUTHORITY)
        found = await desk.get("anomalies", programme=self.programme.slug, status="open")
        for one in found.must(200, "what looked wrong is listed")["anomalies"]:
            for role in (*roles, Actor.AUTHORITY):
                lifted = await self.officials.first(role).post(
                    f"anomalies/{one['id']}/lifting", version=one["version"], reason="已核实，当日完成服务"
                )
                if lifted.code != "anomaly_not_yours":
                    break
            lifted.must(200, "what looked wrong is explained")

    async def _open_account(self) -> None:
        entered = await self.deal.provider.caller.post(
            "bank-accounts",
            programme=self.programme.slug,
            holder=self.deal.provider.part.name,
            number=f"6222{next(_numbers):0{NUMBER_DIGITS - 4}d}",
            bank="中国银行某某支行",
        )
        account = entered.must(201, "the provider enters its account")
        for desk in self.officials.desks[self.programme.disbursement.paid_by.value][:2]:
            verified = await desk.post(
                f"bank-accounts/{account['id']}/verification", version=account["version"]
            )
            account = verified.must(200, "one more member of staff compares the account")

    async def _summary_invoice(self, path: str, desk: Caller) -> None:
        provider = self.deal.provider.caller
        wanted = (await provider.get(f"{path}/summary-invoice")).must(200, "the provider sees what to bring")
        handed = await provider.post(
            f"{path}/summary-invoice",
            number=f"{next(_numbers):020d}",
            amount_fen=wanted["amount_fen"],
            dated=self.today,
            files=[await self._upload(wanted["code"], DocumentKind.SUMMARY_INVOICE.value)],
        )
        invoice = handed.must(201, "the provider hands in its summary invoice")
        decided = await desk.post(f"summary-invoices/{invoice['id']}/decision", accepted=True)
        decided.must(200, "the original has come in")

    async def _receipts(self, path: str, desk: Caller) -> None:
        """The bank's file as it comes back: looked at first, then taken in whole."""
        batch = (await desk.get(path)).must(200, "the batch is looked at")
        text = io.StringIO()
        lines = csv.writer(text)
        lines.writerow(["付款编号", "金额", "结果", "交易日期", "银行回单号", "退汇原因"])
        for one in batch["payments"]:
            yuan = f"{one['transfer_fen'] // 100}.{one['transfer_fen'] % 100:02d}"
            lines.writerow([one["number"], yuan, "成功", self.today, f"R{next(_numbers):015d}", ""])
        total_fen = sum(one["transfer_fen"] for one in batch["payments"])
        lines.writerow(["合计", f"{total_fen // 100}.{total_fen % 100:02d}", "", "", "", ""])
        raw = text.getvalue().encode("utf-8-sig")
        seen = await desk.send(f"{path}/receipts/preview", raw, "application/octet-stream")
        fingerprint = seen.must(200, "the bank's receipts are looked at")["fingerprint"]
        taken = await desk.send(f"{path}/receipts", raw, "application/octet-stream", fingerprint=fingerprint)
        taken.must(201, "the bank's receipts are taken in")

    async def close(self) -> dict[str, Any]:
        """File the result and hand the papers over where the text asks; the settlement at its end."""
        terms = self.programme.disbursement
        path = f"payment-batches/{self.batch_id}"
        approvers = self.officials.desks[terms.approved_by.value]
        if terms.filed_with:
            filed = await approvers[0].post(f"{path}/filing", reference="备〔1〕号", filed_on=self.today)
            filed.must(201, "the result is filed")
        payers = self.officials.desks[terms.paid_by.value]
        handed = await payers[0].post(f"{path}/hand-over")
        hand_over = handed.must(201, "the papers are handed over")
        received = await approvers[1].post(f"hand-overs/{hand_over['id']}/decision", accepted=True)
        received.must(200, "the papers are received")
        seen = await self.deal.provider.caller.get(f"settlements/{self.id}")
        settlement: dict[str, Any] = seen.must(200, "the provider looks at its settlement")["settlement"]
        case = await self.officials.look(self.case_id)
        if settlement["status"] != "closed" or case["status"] != "passed":
            raise WalkFailed(
                f"the settlement ends {settlement['status']}, its case {case['status']} at “{case['step']}”"
            )
        if settlement["paid_at"] is None or settlement["amount_fen"] <= 0:
            raise WalkFailed("the settlement has no money in the bank")
        await self._audit(approvers[0])
        return settlement

    async def _audit(self, desk: Caller) -> None:
        """The whole case as a file, begun with one click, fetched, and checked without the platform."""
        case = f"settlement:{self.id}"
        (await desk.post("case-files", case=case)).must(202, "the file of the case is begun")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                told = (await desk.get("case-files", case=case)).must(200, "how far the file is")
                if told["file"] is not None:
                    break
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        fetched = await desk.get(told["file"].removeprefix("/api/v1/"))
        with NamedTemporaryFile(suffix=".zip") as file:
            file.write(fetched.must(200, "the file is fetched"))
            file.flush()
            _, verdict = verify_case.verify(verify_case.Archive(Path(file.name)))
        if verdict.faults:
            raise WalkFailed(f"the file of {case} is not what it says: {verdict.faults}")
