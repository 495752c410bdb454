"""The Unified Social Credit Code: eighteen characters by which everybody knows an organisation."""

from __future__ import annotations

from stdnum.cn import uscc as standard_uscc
from stdnum.exceptions import InvalidLength, ValidationError

from server import texts
from server.errors import Refusal

USCC_LENGTH = 18
USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""No I, O, S, V, Z."""
STANDARD = "GB 32100-2015"
"""Whose clause a refusal about a code rests on: one organisation has one code, and this is how it is made."""
CHECK_CHARACTER = USCC_LENGTH - 1


class UsccInvalid(Refusal):
    """Not a Unified Social Credit Code; ``problem`` says what is wrong with it (GB 32100-2015)."""

    status, code = 422, "uscc_invalid"


def checked_uscc(written: str) -> str:
    """The code in its one spelling. Raises :class:`UsccInvalid` and says what is wrong with it."""
    uscc = standard_uscc.compact(written)
    try:
        return standard_uscc.validate(uscc)
    except InvalidLength:
        problem = texts.USCC_FAULTS["length"].format(length=len(uscc), wanted=USCC_LENGTH)
    except ValidationError:
        # Which of the 18 is the wrong one nobody can know: it may be any.
        strange = [letter for letter in uscc if letter not in USCC_LETTERS]
        if strange:
            problem = texts.USCC_FAULTS["letters"].format(letters=texts.LIST.join(dict.fromkeys(strange)))
        elif not uscc[:8].isdigit():
            problem = texts.USCC_FAULTS["digits"]
        else:
            problem = texts.USCC_FAULTS["check"].format(
                own=uscc[CHECK_CHARACTER], wanted=standard_uscc.calc_check_digit(uscc[:CHECK_CHARACTER])
            )
    raise UsccInvalid(clause=STANDARD, problem=problem)
