"""Letters of recovery: the demand as it went out, printed again from what was kept."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from server import texts
from server.errors import Refusal
from server.gateways.press import Press
from server.models.orders import Order
from server.models.sanctions import Recovery, SanctionCase
from server.rules.deadlines import day_of
from server.services.sanctions.sanction_book import SanctionBook
from server.services.sanctions.sanction_preview import rate_said
from server.units import yuan


class NotDemanded(Refusal):
    """Nothing was demanded yet: there is no letter."""

    status, code = 409, "recovery_not_demanded"


class RecoveryLetters:
    """Prints demands."""

    def __init__(self, book: SanctionBook, press: Press) -> None:
        self.book = book
        self.press = press

    async def print(self, claim: Recovery) -> bytes:
        """The demand as PDF. Raises :class:`NotDemanded`."""
        if claim.demanded_at is None:
            raise NotDemanded(number=claim.number)
        case = await SanctionCase.get(id=claim.case_id).select_related("against")
        content = await self._content(claim, case, claim.demanded_at)
        return await self.press.print("recovery_demand", content, at=claim.demanded_at)

    async def _content(self, claim: Recovery, case: SanctionCase, at: datetime) -> dict[str, Any]:
        programme, letter, words = self.book.programme_of(case), claim.letter, texts.RECOVERY_LETTER
        orders = {row.id: row for row in await Order.filter(id__in=[one[0] for one in letter["lines"]])}
        whole_fen = letter["principal_fen"] + letter["surcharge_fen"]
        until = letter["due_on"]
        if letter.get("provisional"):
            until = texts.PROVISIONAL.format(day=until)
        return {
            "title": words["title"],
            "number": claim.number,
            "programme": programme.name,
            "footnote": words["footnote"].format(number=claim.number),
            "draft": False,
            "day": letter["day"],
            "to": words["to"].format(name=case.against.name, uscc=case.against.uscc),
            "says": words["says"].format(
                number=case.number,
                decided=day_of(case.decided_at or at).isoformat(),
                ground=self.book.ground_of(case).says,
                programme=programme.name,
                clause=case.clause,
            ),
            "rows": [
                [
                    orders[order_id].number,
                    orders[order_id].project,
                    yuan(open_fen),
                    paid_out_on,
                    str(max(0, (date.fromisoformat(letter["day"]) - date.fromisoformat(paid_out_on)).days)),
                ]
                for order_id, open_fen, paid_out_on in letter["lines"]
            ],
            "columns": list(words["columns"].split("|")),
            "sum": words["sum"].format(
                principal=yuan(letter["principal_fen"]),
                rate=rate_said(claim.yearly_bp),
                rests_on=claim.rate_rests_on,
                surcharge=yuan(letter["surcharge_fen"]),
                whole=yuan(whole_fen),
            ),
            "until": words["until"].format(day=until, number=claim.number),
            "appeal": words["appeal"],
            "from": words["from"].format(name=programme.role(self.book.sanction_of(case).decided_by).name),
        }
