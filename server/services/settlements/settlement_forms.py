"""Settlement forms: the application and the table of its orders, filled in, to print, stamp and hand in.

Where a text wants a stamped form back (GZ-40) the upload must be of what the application says now: other
orders or amounts make another form. Where the platform makes the papers (GX-62) nothing is stamped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.clock import Clock
from server.errors import Refusal, Unmet
from server.gateways.press import Press
from server.models.contracts import Contract
from server.models.organisations import Organisation
from server.models.settlements import Settlement, SettlementApplication, SettlementForm
from server.programme.model import Programme
from server.programme.papers import Document, DocumentForm, DocumentKind
from server.rules.evidence import Handed, papers_missing
from server.rules.settlements import asked_documents, for_all
from server.services import journal
from server.services.access import Actor
from server.services.documents.printed_papers import Paper, attach
from server.services.files.evidence import Evidence
from server.services.settlements import settlement_money, settlement_papers
from server.units import yuan

TEMPLATE = "settlement"
COVER, TABLE = "cover", "table"


class NoSettlementForms(Refusal):
    """The text asks for no form, and has the platform make none."""

    status, code = 409, "no_settlement_forms"


def forms_of(programme: Programme) -> tuple[Document, ...]:
    """The forms that are filled in here: those the text lists, else those the platform is to make (GX-62)."""
    listed = tuple(one for one in programme.settlement.documents if one.kind is DocumentKind.SETTLEMENT_FORM)
    if listed or not programme.settlement.platform_generates:
        return listed
    return tuple(
        Document(
            code=code,
            name=texts.SETTLEMENT_FORMS[code],
            kind=DocumentKind.SETTLEMENT_FORM,
            form=DocumentForm.ELECTRONIC,
            article=programme.settlement.article,
        )
        for code in (COVER, TABLE)
    )


class SettlementForms:
    """Filling in, printing and keeping forms of applications; bytes are kept before a row speaks of them."""

    def __init__(self, clock: Clock, evidence: Evidence, press: Press) -> None:
        self._clock = clock
        self._evidence = evidence
        self._press = press

    async def print_all(
        self,
        application: SettlementApplication,
        settlements: Sequence[Settlement],
        programme: Programme,
        *,
        actor: Actor,
        now: datetime,
    ) -> list[SettlementForm]:
        """Print every form of an application as it stands; one that was printed so before is given again.

        Raises :class:`NoSettlementForms`.
        """
        forms = forms_of(programme)
        if not forms:
            raise NoSettlementForms(clause=programme.settlement.article)
        content = await self._content(application, settlements, programme)
        return [
            await self._print(application, document, place, content, programme, actor=actor, now=now)
            for place, document in enumerate(forms)
        ]

    async def _print(
        self,
        application: SettlementApplication,
        document: Document,
        place: int,
        known: dict[str, Any],
        programme: Programme,
        *,
        actor: Actor,
        now: datetime,
    ) -> SettlementForm:
        content = {
            **known,
            "title": document.name,
            "footnote": texts.SETTLEMENT_FORMS["footnote"].format(
                clause=document.article or programme.settlement.article, sha256=known["text_sha256"][:16]
            ),
            "kind": COVER if place == 0 else TABLE,
            "stamped": document.sealed,
            "draft": False,
        }
        printed = await SettlementForm.get_or_none(
            application_id=application.id, code=document.code, text_sha256=known["text_sha256"]
        )
        if printed is not None:
            return printed
        made = await self._press.print(TEMPLATE, content, at=now)
        stored_at = self._clock.now()
        sha256 = await self._evidence.keep(made, now=stored_at)
        try:
            async with in_transaction():
                paper = Paper(
                    organisation_id=application.provider_id,
                    by=actor.name,
                    programme_slug=programme.slug,
                    subject=f"settlement_application:{application.id}",
                    code=document.code,
                    kind=document.kind,
                    name=f"{document.name}-{application.number}.pdf",
                )
                file = await attach(
                    paper, made, sha256, evidence=self._evidence, stored_at=stored_at, now=now
                )
                form = await SettlementForm.create(
                    application_id=application.id,
                    code=document.code,
                    content=content,
                    text_sha256=known["text_sha256"],
                    file_id=file.id,
                    printed_at=now,
                )
                await journal.record(
                    "settlement.form_printed",
                    f"settlement_application:{application.id}",
                    actor=actor.name,
                    at=now,
                    programme_slug=programme.slug,
                    code=document.code,
                    file=file.id,
                    sha256=sha256,
                    text_sha256=known["text_sha256"],
                )
        except IntegrityError:  # Two who print at once keep one paper.
            return await SettlementForm.get(
                application_id=application.id, code=document.code, text_sha256=known["text_sha256"]
            )
        return form

    async def _content(
        self, application: SettlementApplication, settlements: Sequence[Settlement], programme: Programme
    ) -> dict[str, Any]:
        """What the forms say: whose, how much in all, and each order in a line."""
        text = await said(application, settlements)
        return {**text, "programme": programme.name, "text_sha256": hash_of(text)}


async def said(application: SettlementApplication, settlements: Sequence[Settlement]) -> dict[str, Any]:
    """What an application's forms say of it now."""
    provider = await Organisation.get(id=application.provider_id)
    lines, total_fen = [], 0
    for place, settlement in enumerate(settlements, start=1):
        order = settlement.order
        enterprise = await Organisation.get(id=order.enterprise_id)
        contract = await Contract.get_or_none(id=order.contract_id) if order.contract_id else None
        amount_fen = (await settlement_money.standing(order)).total_fen or order.voucher_fen
        total_fen += amount_fen
        lines.append(
            [
                str(place),
                order.number,
                enterprise.name,
                order.project,
                "" if contract is None else contract.number,
                yuan(order.contract_fen or order.price_fen),
                "" if order.invoice_fen is None else yuan(order.invoice_fen),
                yuan(amount_fen),
            ]
        )
    says = texts.SETTLEMENT_FORMS
    return {
        "number": application.number,
        "rows": [
            [says["provider"], provider.name],
            [says["uscc"], provider.uscc],
            [says["count"], str(len(lines))],
            [says["total"], yuan(total_fen)],
            [says["account"], says["account_known"]],
        ],
        "columns": list(texts.SETTLEMENT_COLUMNS),
        "lines": lines,
        "total": yuan(total_fen),
        "promise": says["promise"],
        "sign": says["sign"],
        "date": says["date"],
    }


def hash_of(text: dict[str, Any]) -> str:
    """The hash of what a form says, the same whenever it says the same."""
    said = json.dumps(text, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


async def unmet(
    application: SettlementApplication, settlements: Sequence[Settlement], programme: Programme
) -> tuple[Unmet, ...]:
    """What is missing of the papers for all orders: forms printed as the application stands, and stamped."""
    asked = [one for one in asked_documents(programme) if for_all(one)]
    rows = await settlement_papers.of(application.id, None)
    handed = [Handed(code=row.code, count=len(row.files)) for row in rows]
    missing = list(papers_missing(asked, handed))
    forms = [one for one in asked if one.form is DocumentForm.SYSTEM_FORM]
    if not forms:
        return tuple(missing)
    now_sha256 = hash_of(await said(application, settlements))
    for document in forms:
        printed = await SettlementForm.filter(application_id=application.id, code=document.code).order_by(
            "-id"
        )
        uploaded = [row for row in rows if row.code == document.code]
        says = texts.SETTLEMENT_CHECKS
        if not printed:
            message = says["form_not_printed"].format(name=document.name)
            missing.append(Unmet(f"{document.code}_not_printed", document.article, message))
            continue
        current = next((one for one in printed if one.text_sha256 == now_sha256), None)
        if current is None or any(row.handed_at < current.printed_at for row in uploaded):
            message = says["form_outdated"].format(name=document.name)
            missing.append(Unmet(f"{document.code}_outdated", document.article, message))
    return tuple(missing)
