"""Keys: the typed names under which an application keeps its parts, and a request its own.

Used by the doors and by ``app`` alone; services are handed what they need.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from server.clock import Clock
from server.sealing import Sealer
from server.settings import Settings

if TYPE_CHECKING:
    from server.gateways.press import Press
    from server.gateways.wechat import Wechat
    from server.gateways.wechat_calls import WechatCalls
    from server.gateways.wechat_cipher import CallbackCipher
    from server.handlers.api import Route
    from server.handlers.grabs import GrabDoor
    from server.handlers.health import Probe
    from server.metrics import Metrics
    from server.programme.registry import Programmes
    from server.programme.size_classes import SizeStandard
    from server.services.access import Actor
    from server.services.accounts.identities import Identities
    from server.services.accounts.sessions import Sessions
    from server.services.accounts.staff import StaffAccounts
    from server.services.accounts.staff_sign_in import StaffSignIn
    from server.services.admissions.handovers import Handovers
    from server.services.admissions.labels import Labels
    from server.services.admissions.onboarding import Onboarding
    from server.services.admissions.qualifications import Qualifications
    from server.services.admissions.registrations import Registrations
    from server.services.admissions.related_parties import RelatedParties
    from server.services.chat.chat_desk import ChatDesk
    from server.services.chat.chat_door import ChatDoor
    from server.services.chat.chat_replies import ChatReplies
    from server.services.clocks import ProgrammeClocks
    from server.services.complaints.complaint_office import ComplaintOffice
    from server.services.disbursements.disbursement_office import DisbursementOffice
    from server.services.documents.documents import Documents as DocumentDesk
    from server.services.exports.exports import Exports
    from server.services.files.files import Files
    from server.services.files.uploads import Uploads
    from server.services.imports.imports import Imports
    from server.services.job_runs import JobPlan
    from server.services.marketplace.enquiries import Enquiries
    from server.services.marketplace.listings import Listings
    from server.services.marketplace.marketplace import Marketplace
    from server.services.marketplace.offerings import Offerings
    from server.services.marketplace.selections import Selections
    from server.services.messages.deliveries import Deliveries
    from server.services.orders.order_ends import OrderEnds
    from server.services.orders.order_opening import OrderOpening
    from server.services.orders.orders import Orders
    from server.services.orders.outlooks import Outlooks
    from server.services.orders.reviewed_orders import PaymentReturns
    from server.services.orders.voucher_requests import VoucherRequests
    from server.services.organisations.memberships import Memberships
    from server.services.payments.own_payments import OwnPayments
    from server.services.payments.repayments import Repayments
    from server.services.programmes.policy_trials import PolicyTrials
    from server.services.proof.case_files import CaseFiles
    from server.services.proof.journal_seals import JournalSeals
    from server.services.providers.provider_grades import ProviderGrades
    from server.services.providers.ratings import Ratings
    from server.services.providers.suspensions import Suspensions
    from server.services.public_notices.notice_desk import NoticeDesk
    from server.services.public_notices.review_notices import Notices
    from server.services.reports.editions import Reports
    from server.services.reviews.inspection_forms import InspectionForms
    from server.services.reviews.reviews import Reviews
    from server.services.reviews.sampling_draws import Draws
    from server.services.rounds.round_book import RoundBook
    from server.services.rounds.rounds import Rounds
    from server.services.sanctions.blocklist import Blocklist
    from server.services.sanctions.removals import Removals
    from server.services.sanctions.sanction_office import SanctionOffice
    from server.services.sanctions.voidings import Voidings
    from server.services.settlements.settlements import Settlements
    from server.services.supervision.supervision_office import SupervisionOffice
    from server.services.vouchers.applications import Applications
    from server.services.vouchers.ranked import RankedRounds
    from server.services.vouchers.vouchers import Vouchers
    from server.services.working_days import WorkingDays

SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
METRICS: web.AppKey[Metrics] = web.AppKey("metrics")

IDENTIFY: web.AppKey[Callable[[web.Request], Awaitable[Actor]]] = web.AppKey("identify")
"""Who is asking: an ``Actor``, or a refusal (401). Called only for routes whose access asks for it."""

IDENTITIES: web.AppKey[Identities] = web.AppKey("identities")
"""Tokens to actors; ``cached`` answers without waiting."""

SEALER: web.AppKey[Sealer] = web.AppKey("sealer")
"""Seals personal data and opens it."""

SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions")
WECHAT: web.AppKey[Wechat] = web.AppKey("wechat")
WECHAT_CALLS: web.AppKey[WechatCalls] = web.AppKey("wechat_calls")
CALLBACK_CIPHER: web.AppKey[CallbackCipher | None] = web.AppKey("callback_cipher")
"""``None`` where no callback is configured: there is no chat."""
CHAT_DOOR: web.AppKey[ChatDoor] = web.AppKey("chat_door")
CHAT_DESK: web.AppKey[ChatDesk] = web.AppKey("chat_desk")
STAFF_SIGN_IN: web.AppKey[StaffSignIn] = web.AppKey("staff_sign_in")
STAFF_ACCOUNTS: web.AppKey[StaffAccounts] = web.AppKey("staff_accounts")

ROUTES: web.AppKey[dict[Callable[..., Any], Route]] = web.AppKey("routes")
"""Every declared route by its endpoint, in the order in which they were added."""

PROBES: web.AppKey[list[Probe]] = web.AppKey("probes")
"""What ``/readyz`` asks."""

PROGRAMMES: web.AppKey[Programmes] = web.AppKey("programmes")
CLOCKS: web.AppKey[ProgrammeClocks] = web.AppKey("clocks")
"""What time it is in each programme."""
WORKING_DAYS: web.AppKey[WorkingDays] = web.AppKey("working_days")

JOB_PLANS: web.AppKey[tuple[JobPlan, ...]] = web.AppKey("job_plans")
"""The schedule, line by line."""
RUN_JOBS: web.AppKey[Callable[[], Awaitable[int]]] = web.AppKey("run_jobs")
"""Run every slot that is due now; for tests and demonstrations, whose clocks jump."""

ONBOARDING: web.AppKey[Onboarding] = web.AppKey("onboarding")
HANDOVERS: web.AppKey[Handovers] = web.AppKey("handovers")
MEMBERSHIPS: web.AppKey[Memberships] = web.AppKey("memberships")
QUALIFICATIONS: web.AppKey[Qualifications] = web.AppKey("qualifications")
REVIEWS: web.AppKey[Reviews] = web.AppKey("reviews")
DRAWS: web.AppKey[Draws] = web.AppKey("draws")
INSPECTION_FORMS: web.AppKey[InspectionForms] = web.AppKey("inspection_forms")
PUBLIC_NOTICES: web.AppKey[Notices] = web.AppKey("public_notices")
"""The clock on notices."""
NOTICE_DESK: web.AppKey[NoticeDesk] = web.AppKey("notice_desk")
REGISTRATIONS: web.AppKey[Registrations] = web.AppKey("registrations")
BLOCKLIST: web.AppKey[Blocklist] = web.AppKey("blocklist")
LABELS: web.AppKey[Labels] = web.AppKey("labels")
IMPORTS: web.AppKey[Imports] = web.AppKey("imports")
POLICY_TRIALS: web.AppKey[PolicyTrials] = web.AppKey("policy_trials")
SIZES: web.AppKey[SizeStandard] = web.AppKey("sizes")
"""The size standard, for the self-test."""

ORDERS: web.AppKey[Orders] = web.AppKey("orders")
ORDER_OPENING: web.AppKey[OrderOpening] = web.AppKey("order_opening")
ORDER_ENDS: web.AppKey[OrderEnds] = web.AppKey("order_ends")
PAYMENT_RETURNS: web.AppKey[PaymentReturns] = web.AppKey("payment_returns")
OUTLOOKS: web.AppKey[Outlooks] = web.AppKey("outlooks")
OWN_PAYMENTS: web.AppKey[OwnPayments] = web.AppKey("own_payments")
REPAYMENTS: web.AppKey[Repayments] = web.AppKey("repayments")
SETTLEMENTS: web.AppKey[Settlements] = web.AppKey("settlements")
VOUCHER_REQUESTS: web.AppKey[VoucherRequests] = web.AppKey("voucher_requests")
VOIDINGS: web.AppKey[Voidings] = web.AppKey("voidings")
RELATED_PARTIES: web.AppKey[RelatedParties] = web.AppKey("related_parties")
PROVIDER_GRADES: web.AppKey[ProviderGrades] = web.AppKey("provider_grades")
SUSPENSIONS: web.AppKey[Suspensions] = web.AppKey("suspensions")
REMOVALS: web.AppKey[Removals] = web.AppKey("removals")
OFFERINGS: web.AppKey[Offerings] = web.AppKey("offerings")
SELECTIONS: web.AppKey[Selections] = web.AppKey("selections")
VOUCHERS: web.AppKey[Vouchers] = web.AppKey("vouchers")
RATINGS: web.AppKey[Ratings] = web.AppKey("ratings")
LISTINGS: web.AppKey[Listings] = web.AppKey("listings")
"""Writes the rows the marketplace is searched by."""
MARKETPLACE: web.AppKey[Marketplace] = web.AppKey("marketplace")
ENQUIRIES: web.AppKey[Enquiries] = web.AppKey("enquiries")
SANCTIONS: web.AppKey[SanctionOffice] = web.AppKey("sanctions")
COMPLAINTS: web.AppKey[ComplaintOffice] = web.AppKey("complaints")
DISBURSEMENTS: web.AppKey[DisbursementOffice] = web.AppKey("disbursements")
SUPERVISION: web.AppKey[SupervisionOffice] = web.AppKey("supervision")
PRESS: web.AppKey[Press] = web.AppKey("press")
DOCUMENT_DESK: web.AppKey[DocumentDesk] = web.AppKey("document_desk")
FILES: web.AppKey[Files] = web.AppKey("files")
UPLOADS: web.AppKey[Uploads] = web.AppKey("uploads")
EXPORTS: web.AppKey[Exports] = web.AppKey("exports")
REPORTS: web.AppKey[Reports] = web.AppKey("reports")

DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
"""Everything on its way beyond the inbox."""
CHAT_REPLIES: web.AppKey[ChatReplies] = web.AppKey("chat_replies")

JOURNAL_SEALS: web.AppKey[JournalSeals] = web.AppKey("journal_seals")
"""Chains the journal and signs its days."""
CASE_FILES: web.AppKey[CaseFiles] = web.AppKey("case_files")

ROUNDS: web.AppKey[Rounds] = web.AppKey("rounds")
APPLICATIONS: web.AppKey[Applications] = web.AppKey("applications")
RANKED: web.AppKey[RankedRounds] = web.AppKey("ranked")
BOOK: web.AppKey[RoundBook] = web.AppKey("book")
GRAB_DOOR: web.AppKey[GrabDoor] = web.AppKey("grab_door")

REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id")
