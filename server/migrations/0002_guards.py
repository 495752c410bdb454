"""Guards that stand in the database itself, because Tortoise creates no constraint from a model's Meta."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from server.models.dialects import DialectSQL

APPEND_ONLY = ("ledger_entry", "journal_entry", "submission", "change_report", "handover")


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]

    operations = [
        # One place at a time for a person, one handler at a time for an organisation (GZ-03, GZ-55).
        ops.RunSQL("CREATE UNIQUE INDEX membership_person_once ON membership (person_id) WHERE active"),
        ops.RunSQL(
            "CREATE UNIQUE INDEX membership_handler_once ON membership (organisation_id)"
            " WHERE active AND role = 'handler'"
        ),
        # Without rounds a quota is promised once (GX-25); which voucher of the year it is, the serial says.
        ops.RunSQL(
            "CREATE UNIQUE INDEX voucher_quota_once ON voucher (budget_id, enterprise_id, kind, serial)"
            " WHERE round_id IS NULL AND basis = 'quota'"
        ),
        # One contract is entered once, and has one voucher asked for it at a time (NX-18).
        ops.RunSQL(
            "CREATE UNIQUE INDEX contract_reference_once ON contract_reference"
            " (programme_slug, enterprise_id, provider_uscc, number) WHERE status IN ('drafted', 'signed')"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX voucher_request_once ON voucher_request (contract_id)"
            " WHERE status IN ('pending', 'returned', 'approved', 'issued')"
        ),
        # A budget's own entries; those of its rounds are found through the rounds.
        ops.RunSQL("CREATE INDEX ledger_entry_budget ON ledger_entry (budget_id) WHERE round_id IS NULL"),
        # History is written once: no entry of the ledger or the journal is ever changed or taken out.
        DialectSQL(
            postgres=(
                "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
                *(
                    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
                    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
                    for table in APPEND_ONLY
                ),
            ),
            sqlite=tuple(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                for table in APPEND_ONLY
                for verb in ("UPDATE", "DELETE")
            ),
        ),
    ]
