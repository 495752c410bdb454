"""Ownership: for each variable of a path, how to make an object, and who else must not see it.

A route whose path names an object has its line here, or the test of permissions fails.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests import owned_basics, owned_money, owned_oversight
from tests.ownership_stage import ANOTHER_AREA as ANOTHER_AREA
from tests.ownership_stage import ANOTHER_PROGRAMME as ANOTHER_PROGRAMME
from tests.ownership_stage import Objects as Objects
from tests.ownership_stage import Owned
from tests.ownership_stage import Stage as Stage
from tests.ownership_stage import a_stage as a_stage
from tests.town import PROGRAMME

OWNED: Mapping[str, Owned] = {
    "sanction_id": Owned(owned_oversight.sanction, areas=True),
    "proposal_id": Owned(owned_oversight.proposal, areas=True),
    "recovery_id": Owned(owned_oversight.recovery, areas=True),
    "export_id": Owned(owned_oversight.export),
    "report_id": Owned(owned_oversight.report),
    # Draws are published to everybody: what may be done with one is its programme's.
    "draw_id": Owned(owned_oversight.draw, persons=False),
    "item_id": Owned(owned_oversight.item),
    # One's own, whatever the programme: tests/services/reviews/test_stand_ins.py.
    "stand_in_id": Owned(owned_oversight.stand_in, persons=False, programmes=False),
    # Rounds are published to everybody, and budgets are no organisation's.
    "round_id": Owned(owned_basics.round, persons=False),
    "budget_id": Owned(owned_basics.budget),
    "voucher_id": Owned(owned_basics.voucher),
    "qualification_id": Owned(owned_basics.qualification, areas=True),
    "membership_id": Owned(owned_basics.membership),
    "entry_id": Owned(owned_basics.ban),
    "message_id": Owned(owned_basics.message),
    "delivery_id": Owned(owned_basics.delivery),
    "registration_id": Owned(owned_basics.registration, areas=True),
    "review_id": Owned(owned_basics.review, areas=True),
    "objection_id": Owned(owned_basics.objection, areas=True),
    # Published to everybody; what is done with it is its programme's.
    "notice_id": Owned(owned_basics.notice, persons=False),
    "draft_id": Owned(owned_basics.draft, persons=False),
    "upload_id": Owned(owned_basics.upload),
    "file_id": Owned(owned_basics.file, areas=True),
    "label_id": Owned(owned_basics.label),
    "office_id": Owned(owned_basics.office),
    "offering_id": Owned(owned_basics.offering, areas=True),
    "order_id": Owned(owned_basics.order, areas=True),
    "payment_id": Owned(owned_money.payment),
    "account_id": Owned(owned_money.bank_account, areas=True),
    "batch_id": Owned(owned_money.payment_batch),
    "transfer_id": Owned(owned_money.transfer),
    "summary_invoice_id": Owned(owned_money.summary_invoice),
    "fund_entry_id": Owned(owned_money.fund_entry),
    "hand_over_id": Owned(owned_money.hand_over),
    "settlement_application_id": Owned(owned_money.settlement_application, areas=True),
    "settlement_id": Owned(owned_money.settlement, areas=True),
    "rating_id": Owned(owned_basics.rating),
    "enquiry_id": Owned(owned_basics.enquiry),
    "complaint_id": Owned(owned_basics.complaint),
    "accusation_id": Owned(owned_basics.accusation),
    "attachment_id": Owned(owned_basics.attachment),
    "answer_id": Owned(owned_basics.answer),
    # What is solicited is published to everybody who works with it.
    "selection_id": Owned(owned_basics.selection, persons=False),
    "request_id": Owned(owned_basics.request),
    "inspection_id": Owned(owned_oversight.inspection),
    "visit_id": Owned(owned_oversight.visit, areas=True),
    "rectification_id": Owned(owned_oversight.rectification, areas=True),
    "call_list_id": Owned(owned_oversight.call_list),
    "call_id": Owned(owned_oversight.call),
    "anomaly_id": Owned(owned_oversight.anomaly, areas=True),
    "operator_audit_id": Owned(owned_oversight.operator_audit),
    "evaluation_id": Owned(owned_oversight.evaluation),
    "contract_id": Owned(owned_oversight.contract),
    # Accounts belong to no programme: whoever administers them administers all.
    "staff_id": Owned(owned_basics.account, programmes=False),
}
"""How to make what a variable of a path names."""

EVERYBODYS: Mapping[str, str] = {
    "POST /api/v1/enquiries/{enquiry_id}/answers": "What is shown is for every provider to answer.",
}
"""Routes whose object is hidden from nobody, and why."""

UNREACHED: Mapping[str, str] = {
    "GET /api/v1/reviews/{review_id}/form": "Wants a form: tests/services/reviews/test_inspection_forms.py.",
    "POST /api/v1/reviews/{review_id}/reveals": "Wants a masked number: "
    "tests/services/reviews/test_inspection_forms.py.",
    "POST /api/v1/sanction-proposals/{proposal_id}/dismissal": "Who decides: "
    "tests/services/sanctions/test_sanctions.py.",
    **{
        f"POST /api/v1/sanctions/{{sanction_id}}/{what}": "Who proposed, decides or had no part: "
        "tests/services/sanctions/test_sanctions.py."
        for what in ("withdrawal", "lifting", "referrals", "appeal/answer")
    },
    **{
        f"POST /api/v1/anomalies/{{anomaly_id}}/{what}": "The authority's here: "
        "tests/services/supervision/test_anomalies.py."
        for what in ("lifting", "proposal")
    },
    **{
        f"{method} /api/v1/exports/{{export_id}}{what}": "One's own: tests/services/exports/test_exports.py."
        for method, what in (("GET", ""), ("GET", "/file"), ("POST", "/cancel"))
    },
    "GET /api/v1/reports/{report_id}/rows": "Wants a figure: tests/services/reports/test_reports.py.",
    "PUT /api/v1/settlement-applications/{settlement_application_id}/orders": "Wants orders of theirs: "
    "tests/services/settlements/test_settlements.py.",
    "POST /api/v1/payment-batches/{batch_id}/approval": "The authority's: "
    "tests/services/disbursements/test_disbursements.py.",
    "POST /api/v1/hand-overs/{hand_over_id}/decision": "The authority's: "
    "tests/services/disbursements/test_disbursements.py.",
    **{
        f"{method} /api/v1/payment-batches/{{batch_id}}/summary-invoice": "A provider's who is paid in it: "
        "tests/services/disbursements/test_disbursements.py."
        for method in ("GET", "POST")
    },
    "GET /api/v1/orders/{order_id}/case-file": "Once one was begun: tests/handlers/test_proof.py.",
    "POST /api/v1/orders/{order_id}/repayments": "Provider's: tests/services/payments/test_paying_steps.py.",
    "POST /api/v1/ratings/{rating_id}/answer": "The provider's to give: tests/handlers/test_ratings.py.",
    "GET /api/v1/qualifications/{qualification_id}/ceilings": "A provider's: "
    "tests/handlers/test_provider_standing.py.",
    "GET /api/v1/objections/{objection_id}/files/{file_id}/content": "Of a notice's objection: "
    "tests/handlers/test_public_notices.py.",
    "GET /api/v1/orders/{order_id}/forms/{form}": "Wants a programme with such a form: "
    "tests/handlers/test_documents.py.",
    **{
        f"POST /api/v1/qualifications/{{qualification_id}}/{what}": "A provider's: "
        "tests/handlers/test_provider_standing.py."
        for what in ("suspension", "suspension/lifting", "ceiling-raises", "removal", "grades")
    },
}
"""Routes whose own object the same request does not reach, and where it is shown that the owner does."""

NO_OBJECT: Mapping[str, str] = {
    "shape": "page",  # In which form a report is read.
    "paper": "contract",  # Which document of an order.
    "form": "offline_review",  # A programme's.
    "slug": PROGRAMME,  # Programmes are public.
    "provider_id": "1",  # So are providers.
    "kind": "labels",  # What kind of list is imported.
    "step": "confirm",  # What is done with an order.
    "document": "authorisation",  # A form that anybody may print.
    "number": "1",  # Of a registration's submissions.
    "place": "1",  # A line of a notice, which everybody reads.
    "receipt": "0" * 20,  # Whoever objected was told it once: a guess reads like one that never was.
    "token": "0" * 22,  # A link's own secret: a guess reads like one that never was.
    "grab_key": "0" * 32,  # The phone's own secret: another's reads like one that never arrived.
}
"""Variables that name nobody's object, with a value to put there."""
