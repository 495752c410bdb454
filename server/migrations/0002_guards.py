"""Guards that stand in the database itself, because Tortoise creates no constraint from a model's Meta."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from server.models.dialects import DialectSQL

APPEND_ONLY = (
    "ledger_entry",
    "journal_entry",
    "journal_seal",
    "day_root",
    "day_anchor",
    "submission",
    "change_report",
    "handover",
    "file_attachment",
    "review_decision",
    "review_recusal",
    "inspection_form",
    "sample_answer",
    "application_request",
    "ranking_entry",
    "waiting_award",
    "tie_declaration",
    "order_finding",
    "ceiling_raise",
    "rating_edit",
    "enquiry_message",
    "complaint_entry",
    "complaint_file",
    "consent_entry",
    "signature",
    "printed_document",
    "sanction_entry",
    "sanction_referral",
    "recovery_receipt",
    "objection_file",
    "inspection_signature",
    "inspection_finding",
    "call_attempt",
    "service_file_entry",
    "audit_report",
    "audit_comparison",
    "evaluation_signature",
    "contract_check",
    "receipt_import",
    "year_end",
    "result_filing",
    "settlement_form",
    "report_edition",
)
SEALED = {
    "submission": ("sealed",),
    "inspection_form": ("sealed_values",),
    "tie_declaration": (
        "representative_sealed",
        "representative_id_sealed",
        "phones_sealed",
        "address_sealed",
        "shareholders",
    ),
    "complaint_entry": ("words_sealed",),
}
"""What is sealed in tables that are written once: sealed anew under a new key (services/data_protection/resealing.py)."""
RELISTED = (
    "OLD.draw_id <> NEW.draw_id OR OLD.key <> NEW.key OR OLD.row_id <> NEW.row_id"
    " OR OLD.stratum <> NEW.stratum OR OLD.flagged <> NEW.flagged OR OLD.turn <> NEW.turn"
)
OFFERED = (
    "offering_id, number, programme_version, selection_id, category, service, kinds, name, areas,"
    ' price_from_fen, price_to_fen, price_parts, comparisons, "values", documents, submitted_at, submitted_by'
)

_ORDER = "programme_slug, rank_ms, id"
_BESIDE = "subject, step_name, amount_fen, area"
_WHOSE = "turn, claimed_by, subject"
_FREE = "turn IS NOT NULL AND claimed_by IS NULL"
LISTED = (
    ("review_case_turn", f"turn, {_ORDER}", _BESIDE, " WHERE turn IS NOT NULL"),
    ("review_case_team", f"turn, {_ORDER}", _BESIDE, f" WHERE {_FREE}"),
    (
        "review_case_mine",
        f"claimed_by, {_ORDER}",
        _BESIDE,
        " WHERE turn IS NOT NULL AND claimed_by IS NOT NULL",
    ),
    ("review_case_all", _ORDER, _BESIDE, ""),
    ("review_case_step", "programme_slug, step_name, rank_ms, id", _WHOSE, ""),
    ("review_case_subject", "programme_slug, subject, rank_ms, id", "turn, claimed_by", ""),
    (
        "review_case_amount",
        "programme_slug, amount_fen, rank_ms, id",
        _WHOSE,
        " WHERE amount_fen IS NOT NULL",
    ),
)
"""Indexes of the inbox: name, keys, what is read without a row, rows. The first four are lists in their order;
the others find what narrows them where it is few (services/reviews/review_ranges.py)."""

RANKS = "offering_id, quality, sales, score_bp, price_rank, listed_ms"
OLD_RANKS = "OLD.offering_id, OLD.quality, OLD.sales, OLD.score_bp, OLD.price_rank, OLD.listed_ms"
MOVED = (
    "OLD.quality <> NEW.quality OR OLD.sales <> NEW.sales OR OLD.score_bp <> NEW.score_bp"
    " OR OLD.price_rank <> NEW.price_rank OR OLD.listed_ms <> NEW.listed_ms"
)


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]

    operations = [
        # One place at a time for a person, one handler at a time for an organisation (GZ-03, GZ-55).
        ops.RunSQL("CREATE UNIQUE INDEX membership_person_once ON membership (person_id) WHERE active"),
        ops.RunSQL(
            "CREATE UNIQUE INDEX membership_handler_once ON membership (organisation_id)"
            " WHERE active AND role = 'handler'"
        ),
        # A provider is held once at a time, proposed for removal once, and graded once a year at a time.
        ops.RunSQL(
            "CREATE UNIQUE INDEX suspension_once ON suspension (qualification_id) WHERE lifted_at IS NULL"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX removal_once ON removal (qualification_id) WHERE status = 'proposed'"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX provider_grade_once ON provider_grade (qualification_id, year)"
            " WHERE decided_at IS NULL"
        ),
        # Without rounds a quota is promised once (GX-25); which voucher of the year it is, the serial says.
        ops.RunSQL(
            "CREATE UNIQUE INDEX voucher_quota_once ON voucher (budget_id, enterprise_id, kind, serial)"
            " WHERE round_id IS NULL AND basis = 'quota'"
        ),
        # What a provider drew is found through it; everything else through the enterprise.
        ops.RunSQL(
            "CREATE INDEX voucher_provider ON voucher (provider_id, id) WHERE provider_id IS NOT NULL"
        ),
        # A voucher keeps its holder for good (GX-04, GZ-09, LS-09, NX-03, YC-06).
        DialectSQL(
            postgres=(
                "CREATE FUNCTION refuse_holder() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'a voucher keeps its holder'; END $$",
                "CREATE TRIGGER voucher_keeps_holder BEFORE UPDATE OF enterprise_id, provider_id ON voucher"
                " FOR EACH ROW EXECUTE FUNCTION refuse_holder()",
            ),
            sqlite=(
                "CREATE TRIGGER voucher_keeps_holder BEFORE UPDATE OF enterprise_id, provider_id ON voucher"
                " BEGIN SELECT RAISE(ABORT, 'a voucher keeps its holder'); END",
            ),
        ),
        # What a provider handed in stays as it was; only its listing begins and ends.
        DialectSQL(
            postgres=(
                "CREATE FUNCTION refuse_offering() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'a version of an offering keeps what it says'; END $$",
                f"CREATE TRIGGER offering_version_keeps BEFORE UPDATE OF {OFFERED} ON offering_version"
                " FOR EACH ROW EXECUTE FUNCTION refuse_offering()",
            ),
            sqlite=(
                f"CREATE TRIGGER offering_version_keeps BEFORE UPDATE OF {OFFERED} ON offering_version"
                " BEGIN SELECT RAISE(ABORT, 'a version of an offering keeps what it says'); END",
            ),
        ),
        # One contract is entered once, and an order has one voucher asked for it at a time (NX-18).
        ops.RunSQL(
            "CREATE UNIQUE INDEX contract_once ON contract"
            " (programme_slug, enterprise_id, provider_id, number) WHERE status IN ('drafted', 'signed')"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX voucher_request_once ON voucher_request (order_id)"
            " WHERE status IN ('pending', 'returned', 'approved', 'issued')"
        ),
        # Two phones of one enterprise pay one payment.
        ops.RunSQL(
            "CREATE UNIQUE INDEX own_payment_pending ON own_payment (order_id, purpose)"
            " WHERE status = 'pending'"
        ),
        # An order is settled once: only what its provider took back is asked for again.
        ops.RunSQL(
            "CREATE UNIQUE INDEX settlement_once ON settlement (order_id) WHERE status <> 'withdrawn'"
        ),
        # A provider has one account in a programme, and one more at most on the way (decision 0032).
        ops.RunSQL(
            "CREATE UNIQUE INDEX bank_account_verified_once ON bank_account (organisation_id, programme_slug)"
            " WHERE status = 'verified'"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX bank_account_live_once ON bank_account (organisation_id, programme_slug)"
            " WHERE status IN ('waiting', 'checked')"
        ),
        # Nobody is paid twice, and a receipt of the bank's shows one payment.
        ops.RunSQL(
            "CREATE UNIQUE INDEX payment_live_once ON payment (settlement_id, source)"
            " WHERE status IN ('waiting', 'paid')"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX payment_receipt_once ON payment (receipt_number) WHERE receipt_number <> ''"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX summary_invoice_once ON summary_invoice (batch_id, provider_id)"
            " WHERE status IN ('handed', 'accepted')"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX fund_entry_once ON fund_entry (budget_id, kind, reference)"
            " WHERE status <> 'rejected'"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX hand_over_once ON hand_over (batch_id) WHERE status IN ('handed', 'received')"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX year_lapse_once ON year_lapse (programme_slug, year)"
            " WHERE status IN ('asked', 'agreed')"
        ),
        # An account keeps its number, a payment its sum and its account, and an archived batch everything.
        DialectSQL(
            postgres=(
                "CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION '% keeps what it says', TG_TABLE_NAME; END $$",
                "CREATE TRIGGER bank_account_keeps BEFORE UPDATE OF organisation_id, programme_slug, holder, tail"
                " ON bank_account FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()",
                # The number may be sealed anew under a new key (services/data_protection/resealing.py), and is the same then.
                "CREATE TRIGGER bank_account_number BEFORE UPDATE OF number_sealed, number_index ON bank_account"
                " FOR EACH ROW WHEN (current_setting('qiquan.sealing_anew', true) IS DISTINCT FROM 'bank_account')"
                " EXECUTE FUNCTION refuse_rewrite()",
                "CREATE TRIGGER payment_keeps BEFORE UPDATE OF number, batch_id, source, settlement_id,"
                " account_id, amount_fen, kept_fen ON payment FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()",
                "CREATE TRIGGER payment_offset_keeps BEFORE UPDATE OF payment_id, recovery_id, amount_fen"
                " ON payment_offset FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()",
                "CREATE TRIGGER payment_batch_archived BEFORE UPDATE ON payment_batch FOR EACH ROW"
                " WHEN (OLD.archived_at IS NOT NULL) EXECUTE FUNCTION refuse_rewrite()",
                "CREATE TRIGGER settlement_archived BEFORE UPDATE OF status, amount_fen, reduced_fen, ledger_fen,"
                " budget_id, paid_at ON settlement FOR EACH ROW"
                " WHEN (OLD.status = 'closed') EXECUTE FUNCTION refuse_rewrite()",
            ),
            sqlite=(
                "CREATE TRIGGER bank_account_keeps BEFORE UPDATE OF organisation_id, programme_slug, holder, tail"
                " ON bank_account BEGIN SELECT RAISE(ABORT, 'bank_account keeps what it says'); END",
                "CREATE TRIGGER bank_account_no_UPDATE BEFORE UPDATE OF number_sealed, number_index"
                " ON bank_account BEGIN SELECT RAISE(ABORT, 'bank_account keeps what it says'); END",
                "CREATE TRIGGER payment_keeps BEFORE UPDATE OF number, batch_id, source, settlement_id,"
                " account_id, amount_fen, kept_fen ON payment"
                " BEGIN SELECT RAISE(ABORT, 'payment keeps what it says'); END",
                "CREATE TRIGGER payment_offset_keeps BEFORE UPDATE OF payment_id, recovery_id, amount_fen"
                " ON payment_offset BEGIN SELECT RAISE(ABORT, 'payment_offset keeps what it says'); END",
                "CREATE TRIGGER payment_batch_archived BEFORE UPDATE ON payment_batch"
                " WHEN OLD.archived_at IS NOT NULL"
                " BEGIN SELECT RAISE(ABORT, 'payment_batch keeps what it says'); END",
                "CREATE TRIGGER settlement_archived BEFORE UPDATE OF status, amount_fen, reduced_fen, ledger_fen,"
                " budget_id, paid_at ON settlement WHEN OLD.status = 'closed'"
                " BEGIN SELECT RAISE(ABORT, 'settlement keeps what it says'); END",
            ),
        ),
        # A complaint holds its order once at a time.
        ops.RunSQL(
            "CREATE UNIQUE INDEX order_hold_once ON order_hold (order_id, complaint_id)"
            " WHERE lifted_at IS NULL"
        ),
        # One case against an organisation on one ground at a time, and one appeal of a case.
        ops.RunSQL(
            "CREATE UNIQUE INDEX sanction_case_once ON sanction_case (programme_slug, against_id, party, ground)"
            " WHERE status = 'proposed'"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX sanction_appeal_once ON sanction_appeal (case_id) WHERE decided_at IS NULL"
        ),
        # What is owed back goes back once: one transfer waits at a time, and each number is one transfer.
        ops.RunSQL(
            "CREATE UNIQUE INDEX recovery_return_once ON recovery_return (recovery_id) WHERE decided_at IS NULL"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX recovery_return_reference ON recovery_return (reference)"
            " WHERE agreed IS NULL OR agreed"
        ),
        ops.RunSQL("CREATE INDEX sanction_effect_left ON sanction_effect (case_id) WHERE done_at IS NULL"),
        # One cause holds the same money once at a time.
        ops.RunSQL(
            "CREATE UNIQUE INDEX payment_hold_once ON payment_hold (cause, cause_id, coalesce(order_id, 0),"
            " coalesce(provider_id, 0), coalesce(enterprise_id, 0)) WHERE lifted_at IS NULL"
        ),
        ops.RunSQL("CREATE INDEX payment_hold_order ON payment_hold (order_id) WHERE lifted_at IS NULL"),
        # What the clock looks at: cases that are open, and answers that wait for a word.
        ops.RunSQL(
            "CREATE INDEX complaint_open ON complaint (answer_due_at) WHERE status IN ('filed', 'in_hand')"
        ),
        ops.RunSQL("CREATE INDEX complaint_waiting ON complaint (confirm_until) WHERE status = 'answered'"),
        # One list, and one reviewer's paper, names an organisation once for a label.
        ops.RunSQL(
            "CREATE UNIQUE INDEX attested_label_once ON attested_label (uscc, code, list_name)"
            " WHERE withdrawn_at IS NULL AND uscc IS NOT NULL"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX attested_label_name_once ON attested_label (name, code, list_name)"
            " WHERE withdrawn_at IS NULL AND uscc IS NULL"
        ),
        # What a report sums is a stretch of time. Rows come in its order, so that this costs a grant nothing.
        DialectSQL(
            postgres=("CREATE INDEX ledger_entry_at ON ledger_entry USING brin (at)",),
            sqlite=(),
        ),
        # What the worker looks at: exports that are not at their end.
        ops.RunSQL("CREATE INDEX export_job_live ON export_job (id) WHERE status IN ('waiting', 'running')"),
        # One review of one thing at a time.
        ops.RunSQL(
            "CREATE UNIQUE INDEX review_case_live ON review_case (subject, subject_id)"
            " WHERE status IN ('open', 'returned', 'on_notice')"
        ),
        # The queues of the inbox, each a range read in its order, with what narrows it beside (LISTED).
        *(
            DialectSQL(
                postgres=(f"CREATE INDEX {name} ON review_case ({keys}) INCLUDE ({others}){where}",),
                sqlite=(f"CREATE INDEX {name} ON review_case ({keys}, {others}){where}",),
            )
            for name, keys, others, where in LISTED
        ),
        ops.RunSQL(
            "CREATE INDEX review_case_notice ON review_case (programme_slug, notice_until)"
            " WHERE status = 'on_notice'"
        ),
        ops.RunSQL("CREATE INDEX review_case_tail ON review_case ((id % 1000000))"),
        ops.RunSQL(
            "CREATE INDEX review_case_due ON review_case (programme_slug, due_at) WHERE due_at IS NOT NULL"
        ),
        # What is computed anew when a year is published: next to nothing, among a million.
        ops.RunSQL("CREATE INDEX review_case_provisional ON review_case (id) WHERE due_provisional"),
        # What is due to be sent, what waits for somebody to write again, what nobody could send: each a handful
        # among all that was ever sent.
        ops.RunSQL("CREATE INDEX delivery_due ON delivery (next_at, id) WHERE state = 'waiting'"),
        ops.RunSQL("CREATE INDEX delivery_held ON delivery (addressee) WHERE state = 'held'"),
        ops.RunSQL("CREATE INDEX delivery_dead ON delivery (id) WHERE state = 'dead'"),
        ops.RunSQL(
            "CREATE INDEX delivery_reply ON delivery (addressee, id)"
            " WHERE state = 'waiting' AND outbox_id IS NULL"
        ),
        ops.RunSQL("CREATE INDEX delivery_message ON delivery (message_id) WHERE message_id <> ''"),
        # What has come to a spot check and waits for its draw.
        ops.RunSQL(
            "CREATE INDEX review_case_undrawn ON review_case (programme_slug, subject, id)"
            " WHERE status = 'open' AND turn IS NULL"
        ),
        # An area and all below it: a range of the bytes, on PostgreSQL in no other order.
        DialectSQL(
            postgres=(
                'CREATE INDEX review_case_area ON review_case (programme_slug, area COLLATE "C", rank_ms, id)'
                " INCLUDE (turn, claimed_by, subject)",
            ),
            sqlite=(
                "CREATE INDEX review_case_area ON review_case"
                " (programme_slug, area, rank_ms, id, turn, claimed_by, subject)",
            ),
        ),
        # One list of one kind is being made at a time. From its locking on nothing is put on it or taken off.
        ops.RunSQL(
            "CREATE UNIQUE INDEX sampling_draw_live ON sampling_draw (programme_slug, code, over)"
            " WHERE status IN ('announced', 'locked')"
        ),
        DialectSQL(
            postgres=(
                "CREATE FUNCTION refuse_frozen() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'the list of a draw is frozen'; END $$",
                "CREATE FUNCTION refuse_late() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN IF EXISTS (SELECT 1 FROM sampling_draw WHERE id = NEW.draw_id"
                " AND status <> 'announced') THEN RAISE EXCEPTION 'the list of a draw is frozen'; END IF;"
                " RETURN NEW; END $$",
                "CREATE TRIGGER sampling_item_late BEFORE INSERT ON sampling_item"
                " FOR EACH ROW EXECUTE FUNCTION refuse_late()",
                "CREATE TRIGGER sampling_item_kept BEFORE DELETE ON sampling_item"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_frozen()",
                f"CREATE TRIGGER sampling_item_frozen BEFORE UPDATE ON sampling_item"
                f" FOR EACH ROW WHEN ({RELISTED}) EXECUTE FUNCTION refuse_frozen()",
            ),
            sqlite=(
                "CREATE TRIGGER sampling_item_late BEFORE INSERT ON sampling_item WHEN EXISTS"
                " (SELECT 1 FROM sampling_draw WHERE id = NEW.draw_id AND status <> 'announced')"
                " BEGIN SELECT RAISE(ABORT, 'the list of a draw is frozen'); END",
                "CREATE TRIGGER sampling_item_kept BEFORE DELETE ON sampling_item"
                " BEGIN SELECT RAISE(ABORT, 'the list of a draw is frozen'); END",
                f"CREATE TRIGGER sampling_item_frozen BEFORE UPDATE ON sampling_item WHEN {RELISTED}"
                f" BEGIN SELECT RAISE(ABORT, 'the list of a draw is frozen'); END",
            ),
        ),
        # A step is decided once, and nobody decides twice in one chain, at no two places of it.
        ops.RunSQL(
            "CREATE UNIQUE INDEX review_decision_place_once ON review_decision (case_id, place)"
            " WHERE verdict IN ('approved', 'rejected')"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX review_decision_person_once ON review_decision (case_id, reviewer_id)"
            " WHERE verdict IN ('approved', 'rejected') AND reviewer_id IS NOT NULL"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX review_opinion_once"
            " ON review_decision (case_id, place, reviewer_id, returns_before)"
            " WHERE verdict = 'opinion'"
        ),
        DialectSQL(
            postgres=(
                # A name by its pairs of characters: Chinese has no words to index.
                "CREATE FUNCTION name_pairs(name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS"
                " $$ SELECT coalesce(array_agg(substr(name, n, 2)), '{}')"
                " FROM generate_series(1, length(name) - 1) n $$",
                "CREATE INDEX review_case_name ON review_case USING gin (name_pairs(organisation_name))",
                "CREATE FUNCTION refuse_second_place() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN IF EXISTS (SELECT 1 FROM review_decision WHERE case_id = NEW.case_id"
                " AND reviewer_id = NEW.reviewer_id AND place <> NEW.place)"
                " THEN RAISE EXCEPTION 'nobody decides at two places of one chain'; END IF;"
                " RETURN NEW; END $$",
                "CREATE TRIGGER review_decision_one_place BEFORE INSERT ON review_decision"
                " FOR EACH ROW EXECUTE FUNCTION refuse_second_place()",
            ),
            sqlite=(
                "CREATE TRIGGER review_decision_one_place BEFORE INSERT ON review_decision"
                " WHEN EXISTS (SELECT 1 FROM review_decision WHERE case_id = NEW.case_id"
                " AND reviewer_id = NEW.reviewer_id AND place <> NEW.place)"
                " BEGIN SELECT RAISE(ABORT, 'nobody decides at two places of one chain'); END",
            ),
        ),
        # A budget's own entries; those of its rounds are found through the rounds.
        ops.RunSQL("CREATE INDEX ledger_entry_budget ON ledger_entry (budget_id) WHERE round_id IS NULL"),
        # What a provider and a category have taken of a year, read from the index alone. A grant of a launch
        # has neither, so these cost it nothing.
        ops.RunSQL(
            "CREATE INDEX ledger_entry_provider ON ledger_entry"
            " (budget_id, provider_id, movement, amount_fen) WHERE provider_id IS NOT NULL"
        ),
        ops.RunSQL(
            "CREATE INDEX ledger_entry_category ON ledger_entry"
            " (budget_id, category, movement, amount_fen) WHERE category IS NOT NULL"
        ),
        # The order of relevance with what decides in it: so many of its first entries are looked through for a
        # page that no row is read for it.
        DialectSQL(
            postgres=(
                "CREATE INDEX listing_quality ON listing (quality, offering_id)"
                " INCLUDE (title, spelled, programme_slug, category_key)",
            ),
            sqlite=(
                "CREATE INDEX listing_quality ON listing"
                " (quality, offering_id, title, spelled, programme_slug, category_key)",
            ),
        ),
        # How often an offering was sold; an order costs it nothing until it is done.
        ops.RunSQL("CREATE INDEX service_order_sold ON service_order (offering_id) WHERE status = 'done'"),
        # Where a listing stood before it moved, so that who turns pages meets it once (gateways/offering_search.py).
        DialectSQL(
            postgres=(
                "CREATE TABLE listing_move (id BIGSERIAL PRIMARY KEY, offering_id BIGINT NOT NULL,"
                " quality BIGINT NOT NULL, sales BIGINT NOT NULL, score_bp BIGINT NOT NULL,"
                " price_rank BIGINT NOT NULL, listed_ms BIGINT NOT NULL)",
                "CREATE FUNCTION keep_place() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN INSERT INTO listing_move ({RANKS}) VALUES ({OLD_RANKS}); RETURN NULL; END $$",
                f"CREATE TRIGGER listing_moved AFTER UPDATE ON listing FOR EACH ROW WHEN ({MOVED})"
                " EXECUTE FUNCTION keep_place()",
            ),
            sqlite=(
                "CREATE TABLE listing_move (id INTEGER PRIMARY KEY AUTOINCREMENT, offering_id BIGINT NOT NULL,"
                " quality BIGINT NOT NULL, sales BIGINT NOT NULL, score_bp BIGINT NOT NULL,"
                " price_rank BIGINT NOT NULL, listed_ms BIGINT NOT NULL)",
                f"CREATE TRIGGER listing_moved AFTER UPDATE ON listing WHEN {MOVED}"
                f" BEGIN INSERT INTO listing_move ({RANKS}) VALUES ({OLD_RANKS}); END",
            ),
        ),
        # A sender is in one conversation at a time. What waits to be heard is found in the order it came in.
        ops.RunSQL(
            "CREATE UNIQUE INDEX conversation_live ON conversation (sender_id) WHERE ended_at IS NULL"
        ),
        ops.RunSQL(
            "CREATE INDEX inbound_message_waiting ON inbound_message (sender_index, id)"
            " WHERE handled_at IS NULL"
        ),
        ops.RunSQL("CREATE INDEX inbound_message_left ON inbound_message (id) WHERE handled_at IS NULL"),
        # What listings are found by (rules/chinese_search.py). Not a column of theirs: a sale changes a listing,
        # and must not touch the index. Without a pending list, whose length every search would read.
        DialectSQL(
            postgres=(
                "CREATE TABLE listing_terms (offering_id BIGINT PRIMARY KEY, terms TSVECTOR NOT NULL)"
                " WITH (toast_tuple_target = 128)",
                "CREATE INDEX listing_terms_found ON listing_terms USING gin (terms) WITH (fastupdate = off)",
            ),
            sqlite=(
                "CREATE VIRTUAL TABLE listing_terms USING fts5(terms, detail = none,"
                " tokenize = 'unicode61 remove_diacritics 0')",
            ),
        ),
        # History is written once: no entry of the ledger or the journal is ever changed or taken out.
        DialectSQL(
            postgres=(
                "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
                *(
                    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
                    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
                    for table in APPEND_ONLY
                    if table not in SEALED
                ),
                # A new key may seal what stands in such a row, in a transaction that says so; nothing else of it
                # changes even then.
                "CREATE FUNCTION refuse_change_but_sealing() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN IF TG_OP = 'UPDATE'"
                " AND current_setting('qiquan.sealing_anew', true) IS NOT DISTINCT FROM TG_TABLE_NAME::text"
                " AND to_jsonb(OLD) - TG_ARGV::text[] = to_jsonb(NEW) - TG_ARGV::text[]"
                " THEN RETURN NEW; END IF;"
                " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
                *(
                    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
                    f" FOR EACH ROW EXECUTE FUNCTION refuse_change_but_sealing({', '.join(columns)})"
                    for table, columns in SEALED.items()
                ),
            ),
            sqlite=tuple(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                for table in APPEND_ONLY
                for verb in ("UPDATE", "DELETE")
            ),
        ),
        # A case waits for one notice at a time, and its result is published once. What a notice said when it
        # was published, and which cases stood on it, never changes.
        ops.RunSQL(
            "CREATE UNIQUE INDEX notice_line_once ON notice_line (case_id) WHERE outcome IS NULL AND NOT result"
        ),
        ops.RunSQL("CREATE UNIQUE INDEX notice_line_result ON notice_line (case_id) WHERE result"),
        DialectSQL(
            postgres=(
                "CREATE FUNCTION keep_notice() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN IF TG_OP = 'DELETE' OR (NEW.text, NEW.sha256, NEW.title, NEW.number, NEW.kind)"
                " IS DISTINCT FROM (OLD.text, OLD.sha256, OLD.title, OLD.number, OLD.kind)"
                " THEN RAISE EXCEPTION 'a published notice is kept as it is'; END IF; RETURN NEW; END $$",
                "CREATE TRIGGER public_notice_kept BEFORE UPDATE OR DELETE ON public_notice"
                " FOR EACH ROW WHEN (OLD.sha256 <> '') EXECUTE FUNCTION keep_notice()",
                "CREATE FUNCTION keep_notice_line() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN IF TG_OP = 'DELETE' OR (NEW.notice_id, NEW.place, NEW.case_id)"
                " IS DISTINCT FROM (OLD.notice_id, OLD.place, OLD.case_id)"
                " THEN RAISE EXCEPTION 'a line of a published notice is kept'; END IF; RETURN NEW; END $$",
                "CREATE TRIGGER notice_line_kept BEFORE UPDATE OR DELETE ON notice_line"
                " FOR EACH ROW WHEN (OLD.place IS NOT NULL) EXECUTE FUNCTION keep_notice_line()",
            ),
            sqlite=(
                "CREATE TRIGGER public_notice_kept BEFORE UPDATE ON public_notice WHEN OLD.sha256 <> '' AND"
                " (NEW.text <> OLD.text OR NEW.sha256 <> OLD.sha256 OR NEW.title <> OLD.title"
                " OR NEW.number IS NOT OLD.number OR NEW.kind <> OLD.kind)"
                " BEGIN SELECT RAISE(ABORT, 'a published notice is kept as it is'); END",
                "CREATE TRIGGER public_notice_no_delete BEFORE DELETE ON public_notice WHEN OLD.sha256 <> ''"
                " BEGIN SELECT RAISE(ABORT, 'a published notice is kept as it is'); END",
                "CREATE TRIGGER notice_line_kept BEFORE UPDATE ON notice_line WHEN OLD.place IS NOT NULL AND"
                " (NEW.notice_id IS NOT OLD.notice_id OR NEW.place IS NOT OLD.place OR NEW.case_id <> OLD.case_id)"
                " BEGIN SELECT RAISE(ABORT, 'a line of a published notice is kept'); END",
                "CREATE TRIGGER notice_line_no_delete BEFORE DELETE ON notice_line WHEN OLD.place IS NOT NULL"
                " BEGIN SELECT RAISE(ABORT, 'a line of a published notice is kept'); END",
            ),
        ),
        # A stored file is never changed; until it is handed in with something it may be taken back.
        DialectSQL(
            postgres=(
                "CREATE TRIGGER stored_file_unchanged BEFORE UPDATE ON stored_file"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
            ),
            sqlite=(
                "CREATE TRIGGER stored_file_unchanged BEFORE UPDATE ON stored_file"
                " BEGIN SELECT RAISE(ABORT, 'stored_file is append-only'); END",
            ),
        ),
    ]
