"""Documents: contracts and confirmations that both sides sign here, printed once and kept as evidence.

A signing step calls :meth:`Documents.sign` inside its transaction: the side's signature is under the text
as it reads then. When the step has taken effect, :meth:`Documents.contract_pdf` or
:meth:`Documents.confirmation_pdf` prints the text that was signed, in a transaction of its own: no lock of
the order waits for it, and two who print at once keep one paper. Bytes are in the store before a row speaks
of them. Printing takes some fifty milliseconds in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA, Clock
from server.errors import Refusal
from server.gateways.press import Press
from server.models.contracts import Contract
from server.models.documents import PrintedDocument, Signature
from server.models.files import StoredFile
from server.models.orders import Order
from server.models.organisations import Membership, Organisation
from server.models.people import Person
from server.programme.model import Programme
from server.programme.papers import DocumentKind
from server.programme.registry import Programmes
from server.programme.vocabulary import Party
from server.rules.documents import Printed, SignMethod, hash_of_text, masked_name
from server.services import journal
from server.services.access import CLOCK
from server.services.documents.document_texts import confirmation_text, contract_text, voucher_rows
from server.services.documents.printed_papers import Paper, attach
from server.services.files.evidence import Evidence

KINDS: Mapping[Printed, DocumentKind] = {
    Printed.CONTRACT: DocumentKind.CONTRACT,
    Printed.SERVICE_CONFIRMATION: DocumentKind.SERVICE_CONFIRMATION,
}


class TextChanged(Refusal):
    """What would be printed is not what the other side has signed: both look at it again."""

    status, code = 409, "text_changed"


class Documents:
    """The verbs on what is printed of orders. ``now`` is the instant of the order's programme."""

    def __init__(self, programmes: Programmes, clock: Clock, evidence: Evidence, press: Press) -> None:
        self.programmes = programmes
        self._clock = clock
        self._evidence = evidence
        self._press = press

    async def text(
        self, order: Order, document: Printed, *, programme: Programme | None = None
    ) -> dict[str, Any]:
        """What a document of an order says, without signatures."""
        programme = programme or self.programmes.version(order.programme_slug, order.programme_version)
        contract = await Contract.get_or_none(id=order.contract_id) if order.contract_id else None
        if document is Printed.CONTRACT and contract is not None:
            return await contract_text(programme, order, contract)
        if document is Printed.CONTRACT:
            return await contract_text(programme, order, _as_ordered(order, programme))
        return await confirmation_text(programme, order, contract)

    async def draft(
        self, order: Order, document: Printed, *, now: datetime, programme: Programme | None = None
    ) -> bytes:
        """The document as it would be signed now, marked as a draft; nothing is kept."""
        text = await self.text(order, document, programme=programme)
        content = {**text, **_around(text, (), []), "draft": True}
        return await self._press.print(document.value, content, at=now)

    async def sign(
        self,
        order: Order,
        document: Printed,
        version: int,
        party: Party,
        person_id: int,
        *,
        now: datetime,
        programme: Programme | None = None,
    ) -> Signature:
        """One side's signature by a person who may act for it, inside the caller's transaction.

        Signing again what one has signed gives the same signature. Raises :class:`TextChanged` where the
        other side signed another text of the same version.
        """
        text = await self.text(order, document, programme=programme)
        text_sha256 = hash_of_text(text)
        known = await signatures_of(order.id, document, version)
        if any(one.text_sha256 != text_sha256 for one in known):
            raise TextChanged()
        side = order.enterprise_id if party is Party.ENTERPRISE else order.provider_id
        organisation = await Organisation.get(id=side)
        try:
            async with in_transaction():  # A savepoint: each side signs a version once.
                signature = await Signature.create(
                    order_id=order.id,
                    document=document,
                    version=version,
                    party=party,
                    organisation_id=organisation.id,
                    organisation_name=organisation.name,
                    person_id=person_id,
                    signer=await signer_of(person_id, organisation.id),
                    method=SignMethod.PLATFORM,
                    text=text,
                    text_sha256=text_sha256,
                    signed_at=now,
                )
        except IntegrityError:
            return next(one for one in known if one.party is party)
        await journal.record(
            "document.signed",
            f"order:{order.id}",
            actor=f"person:{person_id}",
            at=now,
            programme_slug=order.programme_slug,
            document=document.value,
            version=version,
            party=party.value,
            text_sha256=text_sha256,
        )
        return signature

    async def contract_pdf(
        self,
        order: Order,
        contract: Contract,
        version: int,
        signatures: Sequence[Signature],
        *,
        now: datetime,
    ) -> StoredFile:
        """Print a contract that both sides have signed, with what its voucher came to, and keep it."""
        rows = [list(row) for row in voucher_rows(order, contract.amount_fen)]
        return await self._kept(order, Printed.CONTRACT, version, signatures, rows, now)

    async def confirmation_pdf(
        self, order: Order, version: int, signatures: Sequence[Signature], *, now: datetime
    ) -> StoredFile:
        """The same for a service confirmation (GX-55)."""
        return await self._kept(order, Printed.SERVICE_CONFIRMATION, version, signatures, [], now)

    async def _kept(
        self,
        order: Order,
        document: Printed,
        version: int,
        signatures: Sequence[Signature],
        voucher: list[list[str]],
        now: datetime,
    ) -> StoredFile:
        text = signatures[0].text
        text_sha256 = hash_of_text(text)
        if any(one.text_sha256 != text_sha256 for one in signatures):
            raise TextChanged()
        content = {**text, **_around(text, signatures, voucher), "draft": False}
        made = await self._press.print(document.value, content, at=now)
        stored_at = self._clock.now()
        sha256 = await self._evidence.keep(made, now=stored_at)
        try:
            async with in_transaction():
                paper = Paper(
                    organisation_id=order.enterprise_id,
                    by=CLOCK.name,
                    programme_slug=order.programme_slug,
                    subject=f"order:{order.id}",
                    code=document.value,
                    kind=KINDS[document],
                    name=f"{text['title']}-{order.number}-{version}.pdf",
                )
                file = await attach(
                    paper, made, sha256, evidence=self._evidence, stored_at=stored_at, now=now
                )
                await PrintedDocument.create(
                    order_id=order.id,
                    document=document,
                    version=version,
                    content=content,
                    text_sha256=text_sha256,
                    file_id=file.id,
                    printed_at=now,
                )
                await journal.record(
                    "document.printed",
                    f"order:{order.id}",
                    actor=CLOCK.name,
                    at=now,
                    programme_slug=order.programme_slug,
                    document=document.value,
                    version=version,
                    file=file.id,
                    sha256=sha256,
                    text_sha256=text_sha256,
                )
        except IntegrityError:
            # Whoever asked and the job print at the same moment: one of the two is kept.
            printed = PrintedDocument.filter(order_id=order.id, document=document, version=version)
            return (await printed.get().select_related("file")).file
        return file


async def signatures_of(order_id: int, document: Printed, version: int) -> list[Signature]:
    """Who has signed a version of a document, in their order."""
    return await Signature.filter(order_id=order_id, document=document, version=version).order_by("id")


def _around(
    text: Mapping[str, Any], signatures: Sequence[Signature], voucher: list[list[str]]
) -> dict[str, Any]:
    """What stands on a paper beside its text."""
    return {
        "voucher": voucher,
        "footnote": texts.PRINTED["footnote"].format(sha256=hash_of_text(text)),
        "signatures": [
            {
                "party": one.party.value,
                "method": texts.PRINTED[one.method.value],
                "signer": one.signer,
                "at": texts.INSTANT.format(at=one.signed_at.astimezone(CHINA)),
                "text_sha256": one.text_sha256,
            }
            for one in signatures
        ],
    }


def _as_ordered(order: Order, programme: Programme) -> Contract:
    """What a contract would say that nobody has entered yet; never saved."""
    return Contract(
        programme_slug=programme.slug,
        number=order.number,
        amount_fen=order.price_fen,
        enterprise_name="",
        provider_name="",
    )


async def signer_of(person_id: int, organisation_id: int) -> str:
    """A signer as the paper names them: their place, and their name or account masked."""
    person = await Person.get_or_none(id=person_id)
    place = await Membership.filter(person_id=person_id, organisation_id=organisation_id, active=True).first()
    role = "" if place is None else texts.MEMBER_ROLES[place.role]
    name = f"P{person_id:06d}" if person is None or not person.name else masked_name(person.name)
    return texts.PRINTED["signer"].format(place=role, name=name).strip()
