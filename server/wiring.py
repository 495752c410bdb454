"""Wiring of the parts that stand on most of the others: money out, and what is said to people.

They take what they need from the application, where everything before them has its key.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from aiohttp import web

from server import keys, texts
from server.gateways.wechat_cipher import callback_cipher
from server.programme.bank_files import load_bank_templates
from server.programme.chart import load_chart
from server.programme.complaints import load_complaint_defaults
from server.programme.messages import load_messages
from server.programme.review import ReviewSubject
from server.programme.sanctions import load_sanction_defaults
from server.programme.supervision import load_anomaly_defaults, load_supervision_defaults
from server.rules.chat_messages import MessageKind
from server.services.chat.chat_desk import ChatDesk
from server.services.chat.chat_door import ChatDoor
from server.services.chat.chat_replies import ChatReplies
from server.services.complaints.complaint_office import ComplaintOffice
from server.services.disbursements.disbursement_office import DisbursementOffice
from server.services.files.evidence import Evidence
from server.services.messages.carriers import Carriers
from server.services.messages.deliveries import Deliveries
from server.services.messages.delivery_plan import known_topics
from server.services.messages.delivery_reports import DeliveryReports
from server.services.sanctions.sanction_office import SanctionOffice
from server.services.sanctions.sanction_settlements import SettlementStops
from server.services.settlements.reviewed_settlements import ReviewedSettlements
from server.services.settlements.settlement_drafts import SettlementDrafts
from server.services.settlements.settlement_forms import SettlementForms
from server.services.settlements.settlement_windows import SettlementWindows
from server.services.settlements.settlements import Settlements
from server.services.supervision.shared_table import TableChecks
from server.services.supervision.supervision_office import SupervisionOffice

CONFIG = Path(__file__).parent.parent / "config"
MESSAGES = CONFIG / "messages.toml"
CHAT = CONFIG / "chat.toml"
COMPLAINTS = CONFIG / "complaints.toml"
BANK_FILES = CONFIG / "bank_files"
SUPERVISION = CONFIG / "supervision.toml"
ANOMALIES = CONFIG / "anomalies.toml"
SANCTIONS = CONFIG / "sanctions.toml"


def money_out(app: web.Application, evidence: Evidence) -> None:
    """Settlements, sanctions, complaints, payments and supervision."""
    programmes, clocks, clock = app[keys.PROGRAMMES], app[keys.CLOCKS], app[keys.CLOCK]
    reviews, sealer, press = app[keys.REVIEWS], app[keys.SEALER], app[keys.PRESS]
    order_ends = app[keys.ORDER_ENDS]
    settlement_drafts = SettlementDrafts(app[keys.ORDERS], SettlementForms(clock, evidence, press))
    settlements = Settlements(
        settlement_drafts, reviews, app[keys.SIZES], SettlementWindows(programmes, clocks)
    )
    reviews.serve(ReviewSubject.SETTLEMENT, ReviewedSettlements(settlements))
    app[keys.SETTLEMENTS] = settlements
    sanctions = SanctionOffice(
        app[keys.SUSPENSIONS],
        app[keys.REMOVALS],
        app[keys.BLOCKLIST],
        app[keys.LABELS],
        order_ends,
        press,
        defaults=load_sanction_defaults(SANCTIONS),
        sealer=sealer,
    )
    sanctions.effects.stops.append(SettlementStops(settlements, sanctions.effects.reason_of))
    app[keys.SANCTIONS] = sanctions
    complaints = ComplaintOffice(
        programmes,
        clocks,
        app[keys.WORKING_DAYS],
        defaults=load_complaint_defaults(COMPLAINTS),
        sealer=sealer,
        evidence=evidence,
    )
    app[keys.COMPLAINTS] = complaints
    supervision = SupervisionOffice(
        programmes,
        clocks,
        defaults=load_supervision_defaults(SUPERVISION),
        thresholds=load_anomaly_defaults(ANOMALIES),
        sealer=sealer,
        related=app[keys.RELATED_PARTIES],
        checks=TableChecks(),
        sanctions=sanctions.cases,
    )
    app[keys.SUPERVISION] = supervision
    app[keys.DISBURSEMENTS] = DisbursementOffice(
        programmes,
        clocks,
        reviews,
        sealer=sealer,
        templates=load_bank_templates(BANK_FILES),
        look=supervision.anomalies.look_again,
    )


def talk(app: web.Application, random: Random) -> Carriers:
    """Messages out, the chat's door and its conversation; what carries messages, to be opened."""
    settings, clock, sealer = app[keys.SETTINGS], app[keys.CLOCK], app[keys.SEALER]
    programmes, wechat_calls = app[keys.PROGRAMMES], app[keys.WECHAT_CALLS]
    messages = load_messages(MESSAGES, known_topics(), demo=not settings.is_production)
    carriers = Carriers(mini_appid=settings.wechat_appid)
    carriers.calls = wechat_calls if settings.wechat_appid else None
    deliveries = Deliveries(
        messages,
        carriers,
        sealer,
        clock,
        programme_name=programmes.name_of,
        programme_now=app[keys.CLOCKS].now,
        random=random,
    )
    replies = ChatReplies(sealer)
    app[keys.DELIVERIES], app[keys.CHAT_REPLIES] = deliveries, replies
    chat_door = ChatDoor(sealer, clock, wechat_calls, say=replies.say)
    reports = DeliveryReports(messages, sealer, clock)
    chat_door.on(MessageKind.SUBSCRIBE_RESULT, reports.subscribe_result)
    chat_door.on(MessageKind.TEMPLATE_RESULT, reports.template_result)
    app[keys.CHAT_DOOR], app[keys.CALLBACK_CIPHER] = chat_door, callback_cipher(settings)
    chat_desk = ChatDesk(
        load_chart(CHAT, texts.CHAT, texts.SPOKEN),
        app[keys.COMPLAINTS],
        app[keys.UPLOADS],
        wechat_calls,
        replies,
        sealer=sealer,
        clocks=app[keys.CLOCKS],
        mini_appid=settings.wechat_appid,
        public_url=settings.public_url,
    )
    chat_desk.behind(chat_door)
    app[keys.CHAT_DESK] = chat_desk
    return carriers
