"""The schedule: everything that happens because time passed, in one table.

Daily times are times of day in China, by the clock of the programme: in a demonstration each programme
lives on a day of its own. What stands under one programme's slot concerns that programme alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import time

from server.clock import Clock
from server.jobs.close_rounds import close_due_rounds
from server.jobs.end_years import end_years, remind_of_money
from server.jobs.recompute_deadlines import recompute_deadlines
from server.jobs.runner import Job, Slot
from server.jobs.send_reminders import send_reminders
from server.jobs.tell_round_news import tell_round_news
from server.programme.registry import Programmes
from server.rules.slots import Daily, Every
from server.services import job_runs, outbox
from server.services.accounts import sessions
from server.services.admissions.labels import Labels
from server.services.admissions.renewals import Renewals
from server.services.chat import chat_intake
from server.services.chat.chat_desk import ChatDesk
from server.services.clocks import ProgrammeClocks
from server.services.complaints.complaint_office import ComplaintOffice
from server.services.disbursements.disbursement_office import DisbursementOffice
from server.services.exports.export_runs import ExportRuns
from server.services.files.uploads import Uploads
from server.services.job_runs import JobPlan
from server.services.marketplace.listings import Listings
from server.services.marketplace.offerings import Offerings
from server.services.messages.deliveries import Deliveries
from server.services.messages.escalations import Escalations
from server.services.orders.order_ends import OrderEnds
from server.services.orders.order_line import WaitingLine
from server.services.orders.signing_steps import Printing
from server.services.orders.voucher_requests import VoucherRequests
from server.services.payments.own_payments import OwnPayments
from server.services.proof.journal_seals import JournalSeals
from server.services.providers.suspensions import Suspensions
from server.services.public_notices.notice_desk import NoticeDesk
from server.services.reports.due import DueReports
from server.services.reviews import stand_ins
from server.services.reviews.reviews import Reviews
from server.services.reviews.sampling_draws import Draws
from server.services.rounds.rounds import Rounds
from server.services.sanctions.blocklist import Blocklist
from server.services.sanctions.sanction_office import SanctionOffice
from server.services.settlements.settlement_windows import SettlementWindows
from server.services.supervision.supervision_office import SupervisionOffice
from server.services.vouchers.allotments import Allotments
from server.services.vouchers.ranked import RankedRounds
from server.services.vouchers.vouchers import Vouchers
from server.services.working_days import WorkingDays


@dataclass(frozen=True, slots=True)
class Works:
    """What the jobs set in motion."""

    clock: Clock
    calm: Callable[[], Awaitable[None]]
    """To be awaited before what comes after a launch."""
    programmes: Programmes
    clocks: ProgrammeClocks
    working_days: WorkingDays
    rounds: Rounds
    ranked: RankedRounds
    settlement_windows: SettlementWindows
    blocklist: Blocklist
    reviews: Reviews
    escalations: Escalations
    draws: Draws
    notices: NoticeDesk
    labels: Labels
    renewals: Renewals
    suspensions: Suspensions
    uploads: Uploads
    exports: ExportRuns
    reports: DueReports
    allotments: Allotments
    voucher_requests: VoucherRequests
    waiting_line: WaitingLine
    order_ends: OrderEnds
    printing: Printing
    vouchers: Vouchers
    own_payments: OwnPayments
    disbursements: DisbursementOffice
    offerings: Offerings
    listings: Listings
    complaints: ComplaintOffice
    supervision: SupervisionOffice
    sanctions: SanctionOffice
    deliveries: Deliveries
    chat: ChatDesk
    seals: JournalSeals


def schedule(works: Works) -> tuple[Job, ...]:
    """Every job there is. Each has its line in ``texts.JOBS``."""
    reviews, notices, ranked = works.reviews, works.notices.notices, works.ranked
    complaints = works.complaints.clock
    recounts = (
        reviews.recount,
        notices.recount,
        ranked.recompute_provisional,
        complaints.recount,
        works.sanctions.recoveries.recount,
    )
    now, out = works.clock.now, works.deliveries
    jobs: tuple[Job, ...] = (
        # What a launch or a result waits for.
        _every(2, "deliver_outbox", lambda _: outbox.deliver(now(), turn=works.calm, plan=out.plan)),
        _every(2, "send_deliveries", lambda _: out.send_due(turn=works.calm)),
        _every(60, "tell_round_news", lambda _: tell_round_news(works.programmes, works.clocks, works.calm)),
        _every(30, "wake_deliveries", lambda _: out.wake_due()),
        _every(2, "fetch_chat_media", lambda _: works.chat.media.fetch_due(now())),
        _every(5, "check_contents", lambda _: works.chat.checks.ask_due()),
        _every(5, "close_rounds", lambda _: close_due_rounds(works.rounds)),
        _every(5, "rank_rounds", lambda _: ranked.rank_due()),
        _every(5, "tell_results", lambda _: ranked.tell_due()),
        _every(60, "issue_requests", lambda _: works.voucher_requests.issue_due()),
        _every(60, "resume_contracts", lambda _: works.waiting_line.resume()),
        _every(60, "lapse_orders", lambda _: works.order_ends.lapse_due()),
        _every(60, "print_documents", lambda _: works.printing.print_due()),
        _every(600, "allot_quotas", lambda _: works.allotments.allot_due()),
        # What begins or ends on a day.
        _every(30, "settle_bans", lambda _: works.blocklist.settle_turned()),
        _every(60, "close_notices", lambda _: notices.close_due()),
        _every(300, "escalate_objections", lambda _: works.notices.answers.escalate_due()),
        _every(60, "tell_windows", lambda _: works.settlement_windows.tell_due()),
        _every(60, "move_drawn", lambda _: works.draws.move_due()),
        _every(60, "turn_stand_ins", lambda _: stand_ins.turn_due(now())),
        _every(60, "settle_payments", lambda _: works.own_payments.settle_due()),
        _every(60, "expire_approvals", lambda _: works.renewals.expire_due()),
        _every(60, "scan_anomalies", lambda _: works.supervision.anomalies.scan_due()),
        _every(60, "check_contracts", lambda _: works.supervision.data.ask_due()),
        _every(60, "mind_complaints", lambda _: complaints.turn_all()),
        _every(60, "carry_out_sanctions", lambda _: works.sanctions.effects.carry_on_all()),
        _every(3600, "remind_recoveries", lambda _: works.sanctions.recoveries.remind_due()),
        _every(60, "end_suspensions", lambda _: works.suspensions.end_due()),
        _every(300, "settle_labels", lambda _: works.labels.settle_expired_labels(now())),
        _every(300, "recompute_deadlines", lambda _: recompute_deadlines(works.working_days, recounts)),
        _daily(time(0, 1), "end_catalogues", lambda slot: works.offerings.end_due(slot.programme_slug)),
        _daily(time(0, 4), "recheck_listings", lambda slot: works.listings.recheck(slot.programme_slug)),
        _daily(time(0, 5), "expire_vouchers", lambda slot: works.vouchers.expire_due(slot.programme_slug)),
        _daily(time(0, 10), "reclaim_vouchers", lambda slot: works.vouchers.reclaim_due(slot.programme_slug)),
        _daily(
            time(9), "remind_notices", lambda slot: works.notices.standing.remind_due(slot.programme_slug)
        ),
        _daily(time(8, 30), "mind_supervision", lambda slot: works.supervision.mind(slot.programme_slug)),
        _daily(
            time(10), "publish_results", lambda slot: works.notices.results.publish_due(slot.programme_slug)
        ),
        _daily(
            time(9), "send_reminders", lambda slot: send_reminders(works.programmes, works.escalations, slot)
        ),
        _daily(time(9), "remind_of_money", lambda slot: remind_of_money(works.disbursements, slot)),
        _daily(time(0, 20), "end_years", lambda slot: end_years(works.disbursements, slot)),
        # What is proved: behind the write, and never beside a launch.
        _every(60, "seal_journal", lambda _: works.seals.turn(turn=works.calm)),
        _daily(time(8), "make_reports", lambda one: works.reports.make_due(one.programme_slug, one.due_at)),
        _every(5, "run_exports", lambda _: works.exports.run_due()),
        # What is swept up.
        _every(600, "expire_exports", lambda _: works.exports.expire_due()),
        _every(600, "sweep_files", lambda _: works.uploads.sweep(now())),
        _every(3600, "forget_sessions", lambda _: sessions.forget_dead(now())),
        _every(3600, "forget_conversations", lambda _: works.chat.forget(now())),
        _every(3600, "forget_chat_messages", lambda _: chat_intake.forget_heard(now())),
        _every(600, "forget_job_runs", lambda _: job_runs.forget(plans(jobs), now())),
    )
    return jobs


def plans(jobs: tuple[Job, ...]) -> tuple[JobPlan, ...]:
    """The lines of the schedule without what they do."""
    return tuple(job.plan for job in jobs)


def _every(seconds: int, name: str, run: Callable[[Slot], Awaitable[int]]) -> Job:
    return Job(JobPlan(name, Every(seconds)), run)


def _daily(at: time, name: str, run: Callable[[Slot], Awaitable[int]]) -> Job:
    return Job(JobPlan(name, Daily(at), per_programme=True), run)
