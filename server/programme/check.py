"""``python -m server.programme.check [FILE.toml …]``: print the page that officials review.

Without a file it checks every programme of the server. Exits 1 when a file is not what it must be.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from server.programme.faults import ProgrammeError
from server.programme.loader import load_programme
from server.programme.page import page, values_of

DIRECTORY = Path("config/programmes")


def check(files: Iterable[Path]) -> int:
    """Print the page of each file and one closing line of figures; the number of errors."""
    programmes = values = assumed = errors = 0
    for file in files:
        try:
            programme = load_programme(file)
        except (ProgrammeError, OSError) as error:
            print(error)
            errors += 1
            continue
        print("\n".join(page(programme)), end="\n\n")
        programmes += 1
        for value in values_of(programme):
            values += 1
            assumed += value.assumed
    print(
        f"programme-check: {programmes} programmes, {values} values, {values - assumed} with a clause, "
        f"{assumed} assumed, {errors} errors"
    )
    return errors


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    files = [Path(argument) for argument in arguments] or sorted(DIRECTORY.glob("*.toml"))
    return 1 if check(files) or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
