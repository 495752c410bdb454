"""The disbursement office: all that happens to money between its approval and the archive, put together."""

from __future__ import annotations

from collections.abc import Mapping

from server.programme.bank_files import BankTemplate
from server.programme.registry import Programmes
from server.sealing import Sealer
from server.services.clocks import ProgrammeClocks
from server.services.disbursements.archives import Archives
from server.services.disbursements.bank_accounts import BankAccounts
from server.services.disbursements.batch_sending import BatchSending
from server.services.disbursements.funds import Funds
from server.services.disbursements.payable_budget import Look, YearsMoney
from server.services.disbursements.payable_escrow import ReleasedEscrow
from server.services.disbursements.payables import Payable
from server.services.disbursements.payment_batches import PaymentBatches
from server.services.disbursements.payment_receipts import PaymentReceipts
from server.services.disbursements.summary_invoices import SummaryInvoices
from server.services.disbursements.year_end import YearEnds
from server.services.disbursements.year_lapses import YearLapses
from server.services.reviews.reviews import Reviews


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
