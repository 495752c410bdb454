"""docs/permissions.md: who may call what, route by route and role by role.

    python -m tools.permissions --write    # write docs/permissions.md
    python -m tools.permissions --check    # exit 1 if it is not what the routes say

``tests/test_permissions.py`` asks every cell of it of a real server.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.handlers import doors, openapi
from server.handlers.api import Route
from server.models.organisations import MemberRole
from server.services.access import Actor, StaffRole

FILE = Path(__file__).parent.parent / "docs" / "permissions.md"
ALLOWED, DENIED = "●", "–"


@dataclass(frozen=True, slots=True)
class Principal:
    """One column: somebody who may ask. ``role`` is empty for a person who acts for nobody."""

    kind: str
    role: str
    title: str

    def may(self, route: Route) -> bool:
        """What the table says."""
        if route.access.is_public or self.kind == "anybody":
            return route.access.is_public
        roles = frozenset({self.role} if self.role else ())
        return route.access.admits(Actor("staff" if self.kind == "staff" else "person", 1, "", None, roles))


PRINCIPALS: tuple[Principal, ...] = (
    Principal("anybody", "", "anybody"),
    Principal("person", "", "person"),
    Principal("person", MemberRole.LEGAL_REPRESENTATIVE, "legal representative"),
    Principal("person", MemberRole.HANDLER, "handler"),
    Principal("person", MemberRole.STAFF, "colleague"),
    *(Principal("staff", role.value, role.value.replace("_", " ")) for role in StaffRole),
)

_INTRODUCTION = """\
# Permissions

Made by `python -m tools.permissions --write` from the declarations of the routes; do not edit by hand.
`tests/test_permissions.py` asks every cell of a real server.

- `●` may call, `–` is refused: 401 for who is not signed in, 403 for everybody else.
- A *person* has signed in with WeChat and acts for nobody yet. *legal representative*, *handler* and
  *colleague* are a person's place in an organisation; from *operator* on they are of the official side.
- **May call is not may see.** A person reaches what belongs to their own organisation; the official side
  what belongs to their own programmes and areas. Everything else is answered like what is not there: 404.
- *auditor* reads what *operator* or *authority* may read, has files of cases made, and changes nothing.
  *administrator* keeps accounts and decides nothing. *oversight body* alone reads the mailbox of complaints.
  None of the three goes with any other role, and nobody changes their own duties.
- A member of staff who still owes a password of their own or a second factor holds no role until then.
"""


def declared() -> list[Route]:
    """Every route of the contract, in its order."""
    return [route for routes in (*doors.MODULES, openapi.routes) for route in routes.declared]


def render(routes: Sequence[Route]) -> str:
    """The whole document for these routes."""
    return "\n".join([_INTRODUCTION, *_tables(routes)]) + "\n"


def _tables(routes: Sequence[Route]) -> Iterator[str]:
    titles = " | ".join(principal.title for principal in PRINCIPALS)
    for tag in dict.fromkeys(route.tag for route in routes):
        yield f"## {tag}\n"
        yield f"| route | {titles} |"
        yield "|---|" + ":-:|" * len(PRINCIPALS)
        for route in routes:
            if route.tag == tag:
                cells = " | ".join(ALLOWED if one.may(route) else DENIED for one in PRINCIPALS)
                yield f"| `{route.method} {route.path}` | {cells} |"
        yield ""


def main(arguments: Sequence[str]) -> int:
    """Write the document, or say whether it is current. The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="write it")
    choice.add_argument("--check", action="store_true", help="only compare")
    routes = declared()
    document = render(routes)
    if parser.parse_args(arguments).write:
        FILE.write_text(document, encoding="utf-8")
        print(f"permissions: {len(routes)} routes × {len(PRINCIPALS)} written to {FILE.name}")
        return 0
    is_current = FILE.exists() and FILE.read_text(encoding="utf-8") == document
    stale = "not what the routes say; run `make api`"
    print(f"permissions: {FILE.name} is {'current' if is_current else stale}")
    return 0 if is_current else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
