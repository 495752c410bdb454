"""Resealing: under a new key everything reads as before, and the old key may go."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.models.disbursements import BankAccount
from server.models.journal import JournalEntry
from server.models.monitoring import ContactMark
from server.models.organisations import Organisation
from server.models.people import Person
from server.models.registrations import Registration, Submission
from server.models.relations import TieDeclaration
from server.programme.vocabulary import Party
from server.rules.anomalies import ContactKind
from server.sealing import Sealer
from server.services.data_protection import resealing
from server.services.organisations import tie_declarations
from tests.factories import make_enterprise

NOW = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
OLD, NEW = "the old secret of this test, long enough", "the new secret of this test, long enough"
OF_OLD, OF_BOTH = Sealer({"2026a": OLD}), Sealer({"2026b": NEW, "2026a": OLD})
OF_NEW = Sealer({"2026b": NEW})
OPENID, PHONE, NUMBER, PERSON_ID = "oCanary01", "13812345678", "6222021234567890", "330102198001011234"
guards = import_module("server.migrations.0002_guards")


@pytest.fixture
async def organisation(database: TortoiseContext) -> Organisation:
    """An organisation of which everything personal was sealed with the old key."""
    made = await make_enterprise()
    await Person.create(
        account=OF_OLD.blind(OPENID),
        openid_sealed=OF_OLD.seal(OPENID),
        phone_sealed=OF_OLD.seal(PHONE),
        created_at=NOW,
    )
    await Person.create(account="without", created_at=NOW)
    form: dict[str, Any] = {"sealed": {"legal_id": OF_OLD.seal(PERSON_ID)}, "values": {}, "documents": {}}
    registration = await Registration.create(
        organisation=made,
        party=Party.ENTERPRISE,
        programme_slug="here",
        saved_by=1,
        created_at=NOW,
        saved_at=NOW,
        **form,
    )
    await Submission.create(
        registration=registration,
        number=1,
        programme_version="1",
        submitted_at=NOW,
        submitted_by=1,
        facts={},
        undertakings={},
        **form,
    )
    await TieDeclaration.create(
        organisation=made,
        number=1,
        representative_sealed=OF_OLD.seal("赵某"),
        representative_id_sealed=OF_OLD.seal(PERSON_ID),
        phones_sealed=[OF_OLD.seal(PHONE)],
        address_sealed=OF_OLD.seal("莲都区"),
        shareholders=[
            {"uscc": "9133", "name": "某.公司", "share_bp": 6_000},
            {"name_sealed": OF_OLD.seal("赵某"), "id_sealed": OF_OLD.seal(PERSON_ID), "share_bp": 4_000},
        ],
        declared_by=1,
        declared_at=NOW,
    )
    await BankAccount.create(
        organisation=made,
        programme_slug="here",
        holder=made.name,
        bank="某银行",
        number_sealed=OF_OLD.seal(NUMBER),
        number_index=OF_OLD.blind(NUMBER),
        tail=NUMBER[-4:],
        proof=[],
        entered_by="person:1",
        entered_at=NOW,
    )
    mark = {"organisation_id": made.id, "kind": ContactKind.ACCOUNT, "mark": OF_OLD.blind(NUMBER)}
    await ContactMark.create(**mark, noted_at=NOW)
    return made


async def test_what_an_old_key_sealed_reads_and_is_found_without_it(organisation: Organisation) -> None:
    before = tie_declarations.opened(await TieDeclaration.get(), OF_OLD)
    done = await resealing.reseal(OF_BOTH, now=NOW)
    assert dict(done.texts) == {
        "person": 2,
        "registration": 1,
        "submission": 1,
        "tie_declaration": 6,
        "bank_account": 1,
    }
    assert tie_declarations.opened(await TieDeclaration.get(), OF_NEW) == before
    person = await Person.get(account__in=OF_NEW.blinds(OPENID))
    assert (OF_NEW.open(person.openid_sealed), OF_NEW.open(person.phone_sealed)) == (OPENID, PHONE)
    for row in (await Registration.get(), await Submission.get()):
        assert OF_NEW.open(row.sealed["legal_id"]) == PERSON_ID
    account = await BankAccount.get(number_index=OF_NEW.blind(NUMBER))
    assert OF_NEW.open(account.number_sealed) == NUMBER
    marks = {(one.kind, one.mark) for one in await ContactMark.all()}
    assert (ContactKind.ACCOUNT, account.number_index) in marks
    assert (ContactKind.ACCOUNT, OF_OLD.blind(NUMBER)) not in marks
    # Two who share a telephone are found again: what is compared is marked by the new key.
    assert (ContactKind.PHONE, OF_NEW.blind(f"phone:{PHONE}")) in marks
    told = await JournalEntry.get(action="data_key.resealed")
    assert (told.subject, told.data["texts"]["submission"]) == ("data_key:2026b", 1)
    assert PHONE not in str(told.data)

    again = await resealing.reseal(OF_BOTH, now=NOW)
    assert not again.texts and await JournalEntry.filter(action="data_key.resealed").count() == 1


async def test_a_run_that_was_cut_short_goes_on_where_it_was(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await Person.create(account=f"p{number}", phone_sealed=OF_OLD.seal(PHONE), created_at=NOW)
    monkeypatch.setattr(resealing, "PAGE", 2)
    pages: list[tuple[str, int]] = []

    def stop(table: str, count: int) -> None:
        pages.append((table, count))
        if table == "person" and count >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await resealing.reseal(OF_BOTH, now=NOW, told=stop)
    left = await Person.filter(phone_sealed__startswith="2026a.").count()
    assert 0 < left < 5
    done = await resealing.reseal(OF_BOTH, now=NOW)
    assert done.texts["person"] == left
    assert not await Person.filter(phone_sealed__startswith="2026a.").exists()


async def test_what_no_key_opens_is_left_and_named(organisation: Organisation) -> None:
    sealed = Sealer({"2019": OLD}).seal(PHONE)
    await Person.filter(account="without").update(phone_sealed=sealed)
    done = await resealing.reseal(OF_BOTH, now=NOW)
    assert dict(done.unreadable) == {"2019": 1}
    assert (await Person.get(account="without")).phone_sealed == sealed


async def test_who_is_there_twice_is_left_and_named_and_keeps_the_old_key_needed(
    organisation: Organisation,
) -> None:
    twin = await Person.create(
        account=OF_NEW.blind(OPENID), openid_sealed=OF_NEW.seal(OPENID), created_at=NOW
    )
    for _ in range(2):
        done = await resealing.reseal(OF_BOTH, now=NOW)
        assert dict(done.doubles) == {"person": 1}
    assert not done.texts.total()
    first = await Person.get(account=OF_OLD.blind(OPENID))
    assert OF_OLD.open(first.openid_sealed) == OPENID
    assert OF_NEW.open(first.phone_sealed) == PHONE
    assert (await Person.get(id=twin.id)).account == OF_NEW.blind(OPENID)


async def test_rows_that_are_written_once_are_so_before_and_after(organisation: Organisation) -> None:
    for _ in range(2):
        for model, values in (
            (Submission, {"sealed": {}}),
            (Submission, {"number": 2}),
            (TieDeclaration, {"address_sealed": ""}),
            (TieDeclaration, {"number": 2}),
            (BankAccount, {"number_sealed": OF_OLD.seal("1")}),
            (BankAccount, {"holder": "别人"}),
        ):
            with pytest.raises(Exception, match=r"append-only|keeps what it says"):
                await model.all().update(**values)
        with pytest.raises(Exception, match="append-only"):
            await Submission.all().delete()
        await resealing.reseal(OF_BOTH, now=NOW)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_not_even_then_does_anything_else_of_a_row_change(organisation: Organisation) -> None:
    for model, values in ((Submission, {"number": 2}), (BankAccount, {"tail": "0000"})):
        with pytest.raises(Exception, match=r"append-only|keeps what it says"):
            async with in_transaction() as it, resealing._let_through(it, model._meta.db_table):
                await model.all().update(**values)


def test_every_row_that_is_written_once_lets_its_sealed_columns_through() -> None:
    found = {model._meta.db_table: columns for model, columns in resealing.sealed_columns().items()}
    assert {table: found[table] for table in guards.APPEND_ONLY if table in found} == guards.SEALED
    assert {"person", "staff", "complaint", "complainant", "chat_sender", "registration"} <= found.keys()
