"""The sanctions office: its services put together, once for each process."""

from __future__ import annotations

from server.gateways.press import Press
from server.programme.sanctions import SanctionDefaults
from server.sealing import Sealer
from server.services.admissions.labels import Labels
from server.services.orders.order_ends import OrderEnds
from server.services.providers.suspensions import Suspensions
from server.services.sanctions.blocklist import Blocklist
from server.services.sanctions.recoveries import Recoveries
from server.services.sanctions.recovery_letters import RecoveryLetters
from server.services.sanctions.recovery_receipts import RecoveryReceipts
from server.services.sanctions.recovery_returns import RecoveryReturns
from server.services.sanctions.removals import Removals
from server.services.sanctions.sanction_appeals import SanctionAppeals
from server.services.sanctions.sanction_book import SanctionBook
from server.services.sanctions.sanction_decisions import SanctionDecisions
from server.services.sanctions.sanction_effects import SanctionEffects
from server.services.sanctions.sanction_hearings import SanctionHearings
from server.services.sanctions.sanction_referrals import SanctionReferrals
from server.services.sanctions.sanctions import Sanctions


class SanctionOffice:
    """Everything there is to do with sanctions and recoveries, each part under its name."""

    def __init__(
        self,
        suspensions: Suspensions,
        removals: Removals,
        blocklist: Blocklist,
        labels: Labels,
        ends: OrderEnds,
        press: Press,
        *,
        defaults: SanctionDefaults,
        sealer: Sealer,
    ) -> None:
        orders = ends.orders
        self.book = SanctionBook(orders.programmes, orders.clocks, orders.working_days, defaults, sealer)
        self.cases = Sanctions(self.book, suspensions)
        self.recoveries = Recoveries(self.book)
        self.receipts = RecoveryReceipts(self.recoveries)
        self.returns = RecoveryReturns(self.recoveries)
        self.letters = RecoveryLetters(self.book, press)
        qualifications = suspensions.qualifications
        self.effects = SanctionEffects(
            self.cases, qualifications, removals, blocklist, labels, ends, self.recoveries
        )
        self.decisions = SanctionDecisions(self.cases, self.effects)
        self.hearings = SanctionHearings(self.book)
        self.appeals = SanctionAppeals(self.effects)
        self.referrals = SanctionReferrals(self.book)
