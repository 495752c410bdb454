"""Bank accounts: where providers are paid to. Entered by them, verified by two, shown by their last digits.

A changed account is another row: it waits for its verification, and what was approved meanwhile goes to the
account it was approved for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.disbursements import BankAccount
from server.models.organisations import Organisation, Qualification
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.disbursements import LIVE_ACCOUNTS, AccountStatus, account_number, checkers, tail_of
from server.rules.own_payments import same_name
from server.sealing import SEALED_LENGTH, Sealer
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound, organisation_id_of
from server.services.clocks import ProgrammeClocks
from server.services.disbursements.disbursement_book import (
    paying,
    require_impartial,
    require_other_hands,
    require_reason,
)
from server.services.files import files
from server.services.organisations import memberships

DOCUMENT = "bank_account"


class AccountHolderDiffers(Refusal):
    """The account is not held under the provider's registered name."""

    status, code = 422, "account_holder_differs"


class AccountWaiting(Refusal):
    """An account waits for its verification already: it is withdrawn before another is entered."""

    status, code = 409, "account_waiting"


class AccountMovedOn(Refusal):
    """Somebody decided on the account a moment earlier, or it was withdrawn."""

    status, code = 409, "account_moved_on"


class NotAProvider(Refusal):
    """Only a provider of the programme is paid in it."""

    status, code = 409, "not_a_provider"


class BankAccounts:
    """The verbs on bank accounts. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, sealer: Sealer) -> None:
        self._programmes = programmes
        self._clocks = clocks
        self._sealer = sealer

    async def enter(
        self,
        slug: str,
        *,
        holder: str,
        number: str,
        bank: str,
        bank_code: str = "",
        proof: Sequence[int] = (),
        actor: Actor,
    ) -> BankAccount:
        """Enter the account one's organisation is to be paid to. It counts when two people have verified it.

        Raises ``AccountNumberWrong``, :class:`AccountHolderDiffers`, :class:`AccountWaiting`,
        :class:`NotAProvider`, ``FilesUnknown``, ``FileUnacceptable``.
        """
        programme, now = self._programmes.get(slug), self._clocks.now(slug)
        written = account_number(number)
        sealed = self._sealer.seal(written)
        assert len(sealed) <= SEALED_LENGTH, "an account's number is short"
        try:
            async with in_transaction():
                organisation = await memberships.lock(organisation_id_of(actor))
                await _require_provider(organisation, programme)
                if not same_name(holder, organisation.name):
                    raise AccountHolderDiffers(
                        clause=programme.disbursement.article, holder=holder, name=organisation.name
                    )
                rows = await files.require_own(proof, organisation.id, by=actor.name)
                account = await BankAccount.create(
                    organisation=organisation,
                    programme_slug=slug,
                    holder=organisation.name,
                    bank=bank.strip(),
                    bank_code=bank_code.strip(),
                    number_sealed=sealed,
                    number_index=self._sealer.blind(written),
                    tail=tail_of(written),
                    proof=[row.id for row in rows],
                    entered_by=actor.name,
                    entered_at=now,
                )
                await files.attach(rows, f"{DOCUMENT}:{account.id}", DOCUMENT, programme=programme, now=now)
                await _note("bank_account.entered", account, actor, now)
                await outbox.tell(
                    outbox.team(Role.OPERATOR, slug), "bank_account.entered", at=now,
                    programme=slug, bank_account=account.id, name=organisation.name,
                )  # fmt: skip
        except IntegrityError:
            raise AccountWaiting() from None
        return account

    async def withdraw(self, account_id: int, *, actor: Actor) -> BankAccount:
        """Take back an own account that nobody has verified. Raises :class:`AccountMovedOn`."""
        async with in_transaction():
            account = await account_for(actor, account_id)
            now = self._clocks.now(account.programme_slug)
            await _move(account, AccountStatus.WITHDRAWN, account.version, LIVE_ACCOUNTS, ended_at=now)
            await _note("bank_account.withdrawn", account, actor, now)
        return await BankAccount.get(id=account_id)

    async def verify(self, account_id: int, *, version: int, actor: Actor) -> BankAccount:
        """Say that an account is what its proof says: the first look, or the second one that makes it count.

        The first is the operator's or of whoever pays, the second of whoever pays, and another person's.
        Raises ``NotYourDisbursement``, ``SameHands``, ``OwnReview``, :class:`AccountMovedOn`.
        """
        async with in_transaction():
            account = await account_for(actor, account_id)
            programme = self._programmes.get(account.programme_slug)
            now = self._clocks.now(programme.slug)
            organisation = await memberships.lock(account.organisation_id)
            first = account.status is AccountStatus.WAITING
            roles = checkers(programme.disbursement) if first else {programme.disbursement.paid_by}
            reviewer = await paying(actor, programme, *roles)
            require_impartial(reviewer, [organisation])
            if first:
                looked = {"checked_by": actor.id, "checked_at": now}
                await _move(account, AccountStatus.CHECKED, version, {account.status}, **looked)
                await _note("bank_account.checked", account, actor, now)
            else:
                require_other_hands(
                    actor, [account.checked_by], clause=programme.disbursement.article, what="account"
                )
                await self._verify(account, version, actor, now)
        return await BankAccount.get(id=account_id)

    async def _verify(self, account: BankAccount, version: int, actor: Actor, now: datetime) -> None:
        former = {"organisation_id": account.organisation_id, "programme_slug": account.programme_slug}
        if account.status is AccountStatus.CHECKED and account.version == version:
            await BankAccount.filter(**former, status=AccountStatus.VERIFIED).update(
                status=AccountStatus.REPLACED, ended_at=now, version=F("version") + 1
            )
        looked = {"verified_by": actor.id, "verified_at": now}
        await _move(account, AccountStatus.VERIFIED, version, {AccountStatus.CHECKED}, **looked)
        await _note("bank_account.verified", account, actor, now)
        await _tell("bank_account.verified", account, now)

    async def reject(self, account_id: int, *, version: int, reason: str, actor: Actor) -> BankAccount:
        """Turn an account down that is not what its proof says. Raises what :meth:`verify` raises."""
        reason = require_reason(reason)
        async with in_transaction():
            account = await account_for(actor, account_id)
            programme = self._programmes.get(account.programme_slug)
            now = self._clocks.now(programme.slug)
            organisation = await memberships.lock(account.organisation_id)
            reviewer = await paying(actor, programme, *checkers(programme.disbursement))
            require_impartial(reviewer, [organisation])
            await _move(account, AccountStatus.REJECTED, version, LIVE_ACCOUNTS, reason=reason, ended_at=now)
            await _note("bank_account.rejected", account, actor, now, reason=reason)
            await _tell("bank_account.rejected", account, now, reason=reason)
        return await BankAccount.get(id=account_id)

    async def reveal(self, account_id: int, *, reason: str, actor: Actor) -> str:
        """The whole number, to whoever has to compare it; who saw it, and why, is in the journal first."""
        reason = require_reason(reason)
        async with in_transaction():
            account = await account_for(actor, account_id)
            programme = self._programmes.get(account.programme_slug)
            if actor.kind == "staff":
                await paying(actor, programme, *checkers(programme.disbursement))
            now = self._clocks.now(programme.slug)
            await _note("bank_account.revealed", account, actor, now, reason=reason)
        return self._sealer.open(account.number_sealed)


async def account_for(actor: Actor, account_id: int) -> BankAccount:
    """An account of a person's organisation, or of a staff's programme and areas. Raises ``NotFound``."""
    account = await BankAccount.get_or_none(id=account_id).select_related("organisation")
    if account is None:
        raise NotFound()
    if actor.kind == "person":
        if account.organisation_id != organisation_id_of(actor):
            raise NotFound()
        return account
    access.require_programme(actor, account.programme_slug)
    access.require_area(actor, account.organisation.area)
    return account


async def page(
    actor: Actor, *, programme: str | None, status: AccountStatus | None, after: int, limit: int
) -> list[BankAccount]:
    """The next accounts after an id: one's organisation's, or of a staff's programmes and areas."""
    rows = BankAccount.filter(id__gt=after)
    if actor.kind == "person":
        rows = rows.filter(organisation_id=organisation_id_of(actor))
    else:
        rows = rows.filter(
            access.within_programmes(actor, "programme_slug"),
            access.within_areas(actor, "organisation__area"),
        )
    if programme is not None:
        rows = rows.filter(programme_slug=programme)
    if status is not None:
        rows = rows.filter(status=status)
    return await rows.select_related("organisation").order_by("id").limit(limit)


async def verified(organisation_ids: Sequence[int], slug: str) -> dict[int, BankAccount]:
    """The account each of these organisations is paid to in a programme, by organisation."""
    rows = BankAccount.filter(
        organisation_id__in=list(organisation_ids), programme_slug=slug, status=AccountStatus.VERIFIED
    )
    return {row.organisation_id: row for row in await rows}


async def fail(account_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """The bank sent money back from an account: nothing more is paid to it. Inside a transaction."""
    failed = await BankAccount.filter(id=account_id, status=AccountStatus.VERIFIED).update(
        status=AccountStatus.REJECTED, reason=reason, ended_at=now, version=F("version") + 1
    )
    if failed:
        await _note("bank_account.failed", await BankAccount.get(id=account_id), actor, now, reason=reason)


async def _require_provider(organisation: Organisation, programme: Programme) -> None:
    known = Qualification.filter(
        organisation_id=organisation.id, programme_slug=programme.slug, party=Party.PROVIDER
    )
    if not await known.exists():
        raise NotAProvider(programme=programme.name)


async def _move(
    account: BankAccount, status: AccountStatus, version: int, allowed: Any, **columns: Any
) -> None:
    """Change an account that is still as it was seen; the WHERE clause is the lock."""
    moved = await BankAccount.filter(id=account.id, version=version, status__in=list(allowed)).update(
        status=status, version=F("version") + 1, **columns
    )
    if not moved:
        now = await BankAccount.get(id=account.id)
        raise AccountMovedOn(status=texts.ACCOUNT_STATUSES[now.status])


async def _note(action: str, account: BankAccount, actor: Actor, now: datetime, **data: object) -> None:
    await journal.record(
        action,
        f"bank_account:{account.id}",
        actor=actor.name,
        at=now,
        programme_slug=account.programme_slug,
        organisation=account.organisation_id,
        tail=account.tail,
        **data,
    )


async def _tell(topic: str, account: BankAccount, now: datetime, **data: Any) -> None:
    await outbox.tell(
        f"organisation:{account.organisation_id}",
        topic,
        at=now,
        bank_account=account.id,
        programme=account.programme_slug,
        bank=account.bank,
        tail=account.tail,
        **data,
    )
