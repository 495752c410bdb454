"""The disbursement office: all that happens to money between its approval and the archive, put together."""

from __future__ import annotations

from collections.abc import Mapping

from server.programme.bank_files import BankTemplate
from server.programme.registry import Programmes
from server.sealing import Sealer
from server.services.archives import Archives
from server.services.bank_accounts import BankAccounts
from server.services.batch_sending import BatchSending
from server.services.clocks import ProgrammeClocks
from server.services.funds import Funds
from server.services.payable_budget import Look, YearsMoney
from server.services.payable_escrow import ReleasedEscrow
from server.services.payables import Payable
from server.services.payment_batches import PaymentBatches
from server.services.payment_receipts import PaymentReceipts
from server.services.reviews import Reviews
from server.services.summary_invoices import SummaryInvoices
from server.services.year_end import YearEnds
from server.services.year_lapses import YearLapses


class DisbursementOffice:
    """One of each: accounts, batches, their sending, invoices, receipts, funds, year ends, archives."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        reviews: Reviews,
        *,
        sealer: Sealer,
        templates: Mapping[str, BankTemplate],
        look: Look,
    ) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.accounts = BankAccounts(programmes, clocks, sealer)
        sources: tuple[Payable, ...] = (YearsMoney(reviews, look), ReleasedEscrow())
        payables = {one.source: one for one in sources}
        self.batches = PaymentBatches(programmes, clocks, payables)
        self.sending = BatchSending(self.batches, sealer, templates)
        self.invoices = SummaryInvoices(programmes, clocks)
        self.receipts = PaymentReceipts(programmes, clocks, payables)
        self.funds = Funds(programmes, clocks)
        self.years = YearEnds(programmes, clocks)
        self.lapses = YearLapses(programmes, clocks)
        self.archives = Archives(programmes, clocks, reviews, payables)
