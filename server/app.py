"""The application: wiring, top to bottom, and no logic.

``create_app`` puts the parts together; nothing is opened before the application starts, and what is
opened is closed in the opposite order.
"""

from __future__ import annotations

import pkgutil
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from aiohttp import web
from redis.asyncio import Redis

from server import contexts, keys, rules, texts
from server.clock import CHINA, Clock, SystemClock
from server.database import connection_name, is_sqlite
from server.errors import refusal_classes
from server.gateways.evidence_store import EvidenceStore
from server.gateways.file_lab import FileLab
from server.gateways.grab_gate import GrabGate
from server.gateways.grab_store_postgres import PostgresGrabStore
from server.gateways.grab_store_sqlite import SqliteGrabStore
from server.gateways.live_feed import RedisFeed
from server.gateways.press import Press
from server.gateways.redis_lane import RedisLane
from server.gateways.seal_keys import SealKeys
from server.gateways.sheet_press import SheetPress
from server.gateways.wechat import Wechat
from server.gateways.wechat_calls import WechatCalls, tokens_of
from server.gateways.wechat_http import WechatHttp
from server.handlers import bearer, doors
from server.handlers.grabs import GrabDoor
from server.jobs.runner import Runner
from server.jobs.schedule import Works, plans, schedule
from server.metrics import Metrics
from server.middlewares import platform
from server.programme.notices import YearlyNotices
from server.programme.public_notice_defaults import load_notice_defaults
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.programme.review_defaults import load_review_defaults
from server.programme.size_classes import load_size_standard
from server.sealing import Sealer
from server.services.accounts.identities import Identities
from server.services.accounts.sessions import Sessions
from server.services.accounts.staff import StaffAccounts
from server.services.accounts.staff_sign_in import StaffSignIn
from server.services.accounts.tokens import AccessTokens
from server.services.admissions.admissions import Admissions
from server.services.admissions.drafts import Drafts
from server.services.admissions.handovers import Handovers
from server.services.admissions.labels import Labels
from server.services.admissions.onboarding import Onboarding
from server.services.admissions.qualifications import SUBJECTS, Qualifications
from server.services.admissions.registrations import Registrations
from server.services.admissions.related_parties import RelatedParties
from server.services.admissions.renewals import Renewals
from server.services.budgets.annual_notices import AnnualNotices
from server.services.clocks import ProgrammeClocks
from server.services.documents.documents import Documents
from server.services.exports.export_runs import ExportRuns
from server.services.exports.export_sources import own_sources
from server.services.exports.exports import Exports
from server.services.files.evidence import Evidence
from server.services.files.files import Files
from server.services.files.uploads import Uploads
from server.services.imports.import_bans import BanList
from server.services.imports.import_kinds import LabelList, ProviderList
from server.services.imports.imports import Imports
from server.services.job_runs import JobRuns
from server.services.marketplace.enquiries import Enquiries
from server.services.marketplace.listings import Listings
from server.services.marketplace.marketplace import Marketplace
from server.services.marketplace.offering_drafts import OfferingDrafts
from server.services.marketplace.offerings import Offerings
from server.services.marketplace.reviewed_enquiries import ReviewedEnquiries
from server.services.marketplace.reviewed_offerings import ReviewedOfferings
from server.services.marketplace.selections import Selections
from server.services.marketplace.shop_window import ShopWindow
from server.services.messages.escalations import Escalations
from server.services.orders.order_ends import OrderEnds
from server.services.orders.order_line import WaitingLine
from server.services.orders.order_opening import OrderOpening
from server.services.orders.order_works import serve_steps
from server.services.orders.orders import Orders
from server.services.orders.outlooks import Outlooks
from server.services.orders.reviewed_orders import PaymentReturns, ReviewedCancellations
from server.services.orders.reviewed_requests import ReviewedRequests
from server.services.orders.signing_steps import Printing
from server.services.orders.voucher_requests import VoucherRequests
from server.services.organisations.memberships import Memberships
from server.services.payments.own_payments import OwnPayments
from server.services.payments.repayments import Repayments
from server.services.programmes.policy_trials import PolicyTrials
from server.services.proof.audit_packs import AuditPacks
from server.services.proof.case_files import CASE_FILE, CaseFiles
from server.services.proof.journal_seals import JournalSeals
from server.services.providers.provider_grades import ProviderGrades
from server.services.providers.ratings import Ratings
from server.services.providers.suspensions import Suspensions
from server.services.public_notices.notice_desk import NoticeDesk
from server.services.public_notices.review_notices import Notices
from server.services.reports.due import DueReports
from server.services.reports.editions import Reports
from server.services.reviews.inspection_forms import InspectionForms
from server.services.reviews.reviews import Reviews
from server.services.reviews.sampling_draws import Draws
from server.services.rounds.grab_commit import GrabCommitter
from server.services.rounds.grabs import Grabs
from server.services.rounds.launch import LaunchDesk
from server.services.rounds.receipts import Receipts
from server.services.rounds.round_book import RoundBook
from server.services.rounds.rounds import Rounds
from server.services.sanctions.blocklist import Blocklist
from server.services.sanctions.removals import Removals
from server.services.sanctions.voidings import Voidings
from server.services.settlements.settlement_end import repaid
from server.services.vouchers.allotments import Allotments
from server.services.vouchers.applications import Applications
from server.services.vouchers.ranked import RankedRounds
from server.services.vouchers.vouchers import Vouchers
from server.services.vouchers.waiting_list import WaitingList
from server.services.working_days import WorkingDays
from server.settings import Settings
from server.wiring import money_out, talk

CONFIG = Path(__file__).parent.parent / "config"
SIZE_CLASSES = CONFIG / "size-classes.toml"
CHAT_MENU = CONFIG / "chat_menu.toml"
PUBLIC_NOTICES = SIZE_CLASSES.with_name("public_notices.toml")
REVIEW_DEFAULTS = SIZE_CLASSES.with_name("reviews.toml")
ISSUER, AUDIENCE = "qiquan", "qiquan-api"


def create_app(
    settings: Settings, *, clock: Clock | None = None, random: Random | None = None
) -> web.Application:
    """The whole server of one process. Raises when a text is missing or a programme is faulty."""
    clock = clock or SystemClock()
    metrics = Metrics()
    programmes = Programmes.load(settings.programmes_dir)
    sizes = load_size_standard(SIZE_CLASSES)
    clocks = programme_clocks(settings, programmes, clock)
    working_days = WorkingDays(settings.holidays_dir)

    feed = RedisFeed(settings.redis_url)
    tokens = AccessTokens(settings.jwt_keys, issuer=ISSUER, audience=AUDIENCE)
    identities = Identities(tokens, feed, clock)

    store = grab_store(settings.database_url)
    lane = RedisLane(settings.redis_url)
    leaks: dict[int, int] = {}

    def leaked(round_id: int, leak_fen: int) -> None:
        leaks[round_id] = abs(leak_fen)
        metrics.leaked_units.set(sum(leaks.values()))

    desk = LaunchDesk(GrabGate(lane), store, live=lambda: book.live(), leaked=leaked)
    committer = GrabCommitter(store, desk.announce, observe=metrics.group_size.observe)
    desk.committer = committer
    rounds = Rounds(programmes, clocks, desk)
    book = RoundBook(rounds)
    grabs = Grabs(desk, committer, store)

    app = web.Application(
        middlewares=[platform(settings, metrics, random)], client_max_size=settings.max_body_bytes
    )
    app[keys.SETTINGS], app[keys.CLOCK], app[keys.METRICS] = settings, clock, metrics
    app[keys.PROGRAMMES], app[keys.CLOCKS] = programmes, clocks
    app[keys.WORKING_DAYS] = working_days
    app[keys.IDENTITIES], app[keys.IDENTIFY] = identities, bearer.identify
    sealer, sessions = Sealer(settings.data_keys), Sessions(tokens, feed)
    app[keys.SEALER], app[keys.SESSIONS] = sealer, sessions
    redis = Redis.from_url(settings.redis_url, socket_timeout=1, socket_connect_timeout=1)
    wechat = WechatHttp(settings.wechat_base_url)
    wechat_calls = WechatCalls(wechat, tokens_of(settings, wechat, redis, sealer, clock))
    app[keys.WECHAT_CALLS] = wechat_calls
    app[keys.WECHAT] = Wechat(
        wechat, wechat_calls, appid=settings.wechat_appid, secret=settings.wechat_secret
    )
    app[keys.STAFF_SIGN_IN] = StaffSignIn(
        sessions, sealer, second_factor_required=settings.staff_totp_required
    )
    app[keys.STAFF_ACCOUNTS] = StaffAccounts(programmes, sessions, clock)
    app[keys.ROUNDS], app[keys.BOOK] = rounds, book
    applications, ranked = Applications(rounds), RankedRounds(rounds, working_days)
    app[keys.APPLICATIONS], app[keys.RANKED] = applications, ranked
    vouchers = Vouchers(rounds, offer=WaitingList(applications, ranked).offer_returned)
    app[keys.VOUCHERS] = vouchers
    reviews = Reviews(programmes, clocks, working_days)
    draws = Draws(programmes, reviews, sealer)
    app[keys.DRAWS] = draws
    app[keys.INSPECTION_FORMS] = InspectionForms(programmes, clocks, sealer, reviewed=reviews.reviewed)
    public_notices = Notices(reviews)
    app[keys.REVIEWS], app[keys.PUBLIC_NOTICES] = reviews, public_notices
    qualifications = Qualifications(programmes, sizes, clocks, rounds, reviews)
    app[keys.QUALIFICATIONS] = qualifications
    app[keys.ONBOARDING] = Onboarding(programmes, sizes, clocks, qualifications, feed)
    app[keys.MEMBERSHIPS] = Memberships(programmes, clock, feed)
    app[keys.HANDOVERS] = Handovers(programmes, clock, feed, sealer)
    blocklist = Blocklist(programmes, clocks, rounds)
    app[keys.BLOCKLIST] = blocklist
    labels = Labels(programmes, clocks, qualifications)
    admissions = Admissions(qualifications, sealer)
    for subject in SUBJECTS.values():
        reviews.serve(subject, admissions)
    drafts = Drafts(qualifications, labels, sealer)
    app[keys.REGISTRATIONS] = Registrations(drafts, admissions, reviews)
    app[keys.LABELS], app[keys.SIZES] = labels, sizes
    app[keys.IMPORTS] = Imports((LabelList(labels), ProviderList(labels), BanList(blocklist)), clocks, rounds)
    lab = FileLab()
    evidence = Evidence(EvidenceStore(settings.evidence_dir, settings.evidence_url))
    exports = Exports(programmes, clocks, evidence)
    for kind, source in own_sources(programmes, sealer).items():
        exports.serve(kind, source)
    app[keys.EXPORTS] = exports
    uploads = Uploads(programmes, clocks, evidence, lab, settings.uploads_dir)
    app[keys.FILES], app[keys.UPLOADS] = Files(programmes, clocks, evidence), uploads
    notice_desk = NoticeDesk(public_notices, load_notice_defaults(PUBLIC_NOTICES), sealer, uploads)
    app[keys.NOTICE_DESK] = notice_desk
    yearly = AnnualNotices(YearlyNotices.load(settings.notices_dir, programmes))
    allotments = Allotments(programmes, sizes, clocks, yearly)
    rounds.settlers.append(allotments.settle)
    app[keys.OUTLOOKS] = Outlooks(programmes, clocks, yearly)
    app[keys.POLICY_TRIALS] = PolicyTrials(programmes, clocks, yearly, sizes)
    ratings, listings = Ratings(programmes, clocks), Listings(programmes, clocks)
    ratings.listeners.append(listings.recount)
    rounds.settlers.append(listings.settle)
    app[keys.RATINGS], app[keys.LISTINGS] = ratings, listings
    press = Press()
    documents = Documents(programmes, clock, evidence, press)
    app[keys.PRESS], app[keys.DOCUMENT_DESK] = press, documents
    owed_reports = Reports(programmes, clocks, sizes, evidence, press, SheetPress())
    app[keys.REPORTS] = owed_reports
    orders = Orders(programmes, clocks, yearly, working_days, offer=vouchers.offer)
    printing = Printing(orders, documents)
    orders.listeners.append(listings.recount)
    voucher_requests = VoucherRequests(programmes, reviews, orders)
    order_ends = OrderEnds(orders, voucher_requests, reviews, vouchers)
    payment_returns = PaymentReturns(orders, reviews)
    related_parties = RelatedParties(sealer)
    app[keys.RELATED_PARTIES] = related_parties
    app[keys.ORDERS], app[keys.ORDER_OPENING] = orders, OrderOpening(orders, sizes, related_parties)
    app[keys.ORDER_ENDS], app[keys.PAYMENT_RETURNS] = order_ends, payment_returns
    app[keys.VOUCHER_REQUESTS] = voucher_requests
    serve_steps(orders, voucher_requests, ratings, printing, sizes)
    reviews.serve(ReviewSubject.VOUCHER_REQUEST, ReviewedRequests(programmes, orders))
    reviews.serve(ReviewSubject.CANCELLATION, ReviewedCancellations(order_ends))
    reviews.serve(ReviewSubject.PAYMENT_RETURN, payment_returns)
    own_payments = OwnPayments(programmes, clocks, clock, sealer)
    repayments = Repayments(programmes, clocks)
    repayments.listeners.append(repaid)
    app[keys.OWN_PAYMENTS], app[keys.REPAYMENTS] = own_payments, repayments
    orders.enders += [own_payments.let_go, payment_returns.let_go]
    app[keys.MARKETPLACE] = Marketplace(programmes, clocks, ShopWindow(programmes, clocks, yearly))
    reviews.serve(ReviewSubject.ENQUIRY, ReviewedEnquiries(programmes))
    app[keys.ENQUIRIES] = Enquiries(programmes, clocks, reviews)
    offerings = Offerings(OfferingDrafts(programmes, clocks, yearly), reviews, listings)
    reviews.serve(ReviewSubject.OFFERING, ReviewedOfferings(programmes, yearly, listings))
    app[keys.OFFERINGS], app[keys.SELECTIONS] = offerings, Selections(programmes, clocks)
    voidings = Voidings(vouchers, reviews)
    reviews.serve(ReviewSubject.VOIDING, voidings)
    app[keys.VOIDINGS] = voidings
    suspensions = Suspensions(qualifications)
    removals = Removals(qualifications, blocklist, reviews)
    reviews.serve(ReviewSubject.REMOVAL, removals)
    app[keys.SUSPENSIONS], app[keys.REMOVALS] = suspensions, removals
    grades = ProviderGrades(qualifications, reviews)
    reviews.serve(ReviewSubject.PROVIDER_GRADE, grades)
    app[keys.PROVIDER_GRADES] = grades
    money_out(app, evidence)
    app[keys.GRAB_DOOR] = GrabDoor(
        identities=identities,
        book=book,
        grabs=grabs,
        rounds=rounds,
        receipts=Receipts(settings.receipt_key.encode()),
        metrics=metrics,
    )
    app[keys.PROBES] = []

    carriers = talk(app, random or Random())

    seal_keys = SealKeys(settings.seal_keys_dir)
    seals = JournalSeals(clock, seal_keys)
    app[keys.JOURNAL_SEALS] = seals
    packs = AuditPacks(
        programmes, clock, evidence, sealer, press, seal_keys, programmes_dir=settings.programmes_dir
    )
    exports.serve_whole(CASE_FILE, packs)
    app[keys.CASE_FILES] = CaseFiles(exports)

    jobs = schedule(
        Works(
            clock=clock,
            calm=committer.calm,
            programmes=programmes,
            clocks=clocks,
            working_days=working_days,
            rounds=rounds,
            ranked=ranked,
            settlement_windows=app[keys.SETTLEMENTS].windows,
            blocklist=blocklist,
            reviews=reviews,
            escalations=Escalations(working_days, load_review_defaults(REVIEW_DEFAULTS)),
            draws=draws,
            notices=notice_desk,
            labels=labels,
            renewals=Renewals(qualifications),
            suspensions=suspensions,
            uploads=uploads,
            reports=DueReports(owed_reports, working_days),
            exports=ExportRuns(exports, SheetPress(), turn=committer.calm),
            allotments=allotments,
            voucher_requests=voucher_requests,
            waiting_line=WaitingLine(orders),
            order_ends=order_ends,
            printing=printing,
            vouchers=vouchers,
            own_payments=own_payments,
            disbursements=app[keys.DISBURSEMENTS],
            offerings=offerings,
            listings=listings,
            complaints=app[keys.COMPLAINTS],
            supervision=app[keys.SUPERVISION],
            sanctions=app[keys.SANCTIONS],
            deliveries=app[keys.DELIVERIES],
            chat=app[keys.CHAT_DESK],
            seals=seals,
        )
    )
    slugs = sorted(programme.slug for programme in programmes)
    app[keys.JOB_PLANS] = plans(jobs)
    jobs_runner = Runner(jobs, JobRuns(clock, worker=uuid4().hex), clocks, slugs)
    app[keys.RUN_JOBS] = jobs_runner.turn_all

    app.cleanup_ctx.extend(
        [
            contexts.database(settings),
            contexts.redis_probe(settings),
            contexts.wechat_accounts(settings, wechat, redis, own_payments),
            contexts.sms_sender(settings, carriers),
            contexts.live_feed(feed),
            contexts.launch_desk(lane, store, desk, committer),
            contexts.rechecking(identities),
            contexts.reloading(working_days),
            contexts.file_lab(lab),
            contexts.outside_anchors(settings, seals),
            contexts.running_jobs(jobs_runner, settings),
            contexts.chat(app[keys.CHAT_DOOR], settings),
        ]
    )
    doors.open_all(app, demo_login=settings.demo_login)
    _check_texts()
    return app


@cache
def _check_texts() -> None:
    """Every refusal has its sentence, wherever in the house it is defined, and every sentence its refusal.

    Looked at once: both are code, and the same for every application of a process.
    """
    for module in pkgutil.walk_packages(rules.__path__, f"{rules.__name__}."):
        import_module(module.name)
    texts.check_complete(refusal_classes())


def programme_clocks(settings: Settings, programmes: Programmes, clock: Clock) -> ProgrammeClocks:
    """The present in production; each programme's own day in demo mode."""
    if not settings.demo_clocks:
        return ProgrammeClocks(clock)
    today = clock.now().astimezone(CHINA).date()
    anchor = date.fromisoformat(settings.demo_anchor) if settings.demo_anchor else today
    return ProgrammeClocks.for_demo(clock, programmes, anchor)


def grab_store(database_url: str) -> PostgresGrabStore | SqliteGrabStore:
    """The launch's rows in whichever database this is."""
    if is_sqlite(database_url):
        return SqliteGrabStore(connection_name(database_url))
    # asyncpg takes no options of Tortoise's pool.
    return PostgresGrabStore(urlunsplit(urlsplit(database_url)._replace(query="")))
