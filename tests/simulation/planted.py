"""Twenty bugs to plant, one at a time: the proof that the simulation would see them (launch.md 6).

Each is the mistake of some real system, as an exact replacement in a module or script that we ship. One
stands in the memory store instead, because the SQL it belongs to does not run here; there the contract
tests hold PostgreSQL and SQLite to the same behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.product import Patch

GRABBING = "server/rules/grabbing.py"
GATE = "server/gateways/grab_gate.py"
COMMIT = "server/services/rounds/grab_commit.py"
LATCH = "server/services/rounds/latch.py"
LAUNCH = "server/services/rounds/launch.py"
GRABS = "server/services/rounds/grabs.py"
GRAB_LUA = "server/gateways/lua/grab.lua"
FINISH_LUA = "server/gateways/lua/finish.lua"
STORE = "tests/simulation/memory_store.py"


@dataclass(frozen=True)
class PlantedBug:
    """A bug by its name, and what has to be changed to have it."""

    name: str
    patches: tuple[Patch, ...]


def _bug(name: str, *changes: tuple[str, str, str]) -> PlantedBug:
    return PlantedBug(name, tuple(Patch(*change) for change in changes))


_NO_FENCE = (COMMIT, "if epoch is not None and mark.epoch != epoch:", "if False:")

_OWN_RESULT = """\
  local held = redis.call('HGET', KEYS[2], enterprise)
  if held then
    local kind, what, whose = string.match(held, '^(%a)|([^|]*)|(.*)$')
    if kind == 'G' then return 'O|' .. what .. '|' .. whose end
    if whose == key then return 'S|' .. what end
    return 'B'
  end
"""
_PENDING = """\
    if whose == key then return 'S|' .. what end
    return 'B'
"""
_WINDOW = """\
  if round[2] == 'paused' then return 'P' end
  if round[2] ~= 'scheduled' then return 'C' end
  if now < opens then return 'E|' .. round[3] end
  if now >= closes then return 'L' end
"""

PLANTED = (
    _bug(
        "reply before commit",
        (
            GRABS,
            "        decided = await self.committer.submit(card.terms, footing.epoch, claim,"
            " patience_seconds=patience)\n",
            "        self.committer.submit(card.terms, footing.epoch, claim, patience_seconds=patience)\n"
            "        return GrabReply(GrabCode.GRANTED, answer.now_ms, None, answer.place)\n",
        ),
    ),
    _bug("no fence in the database", _NO_FENCE),
    _bug(
        "no budget guard and no fence",
        _NO_FENCE,
        (GRABBING, "if entitled.amount_fen > free_fen[claim.round_id]:", "if False:"),
    ),
    _bug(
        "release on unknown commit",
        (
            COMMIT,
            "                await asyncio.sleep(pause)\n",
            "                now = terms.now()\n"
            "                lost = Decided(GrabOutcome.SOLD_OUT, '', None, None, now)\n"
            "                decided = [lost] * len(claims)\n"
            "                break\n",
        ),
    ),
    _bug(
        "unknown commit resolved by SELECT",
        (
            COMMIT,
            "                await asyncio.sleep(pause)\n",
            "                decided = []\n"
            "                for claim in claims:\n"
            "                    try:\n"
            "                        row = await self.store.recorded(claim.enterprise_id, claim.grab_key)\n"
            "                    except OutcomeUnknown:\n"
            "                        row = None\n"
            "                    outcome = row.outcome if row else GrabOutcome.SOLD_OUT\n"
            "                    voucher_id = row.voucher_id if row else None\n"
            "                    now = terms.now()\n"
            "                    decided.append(Decided(outcome, claim.place, None, voucher_id, now))\n"
            "                break\n",
        ),
    ),
    _bug("script not idempotent by key", (GRAB_LUA, _PENDING, "")),
    _bug(
        "latch against winners and retries",
        (
            LATCH,
            "if armed is None or attempt != 1 or enterprise_id in armed.winners:",
            "if armed is None:",
        ),
    ),
    _bug("latch without expiry", (LATCH, "        if now < armed.until:", "        if armed.until:")),
    _bug(
        "money given back twice",
        (
            FINISH_LUA,
            "  if redis.call('XDEL', KEYS[5], place) == 1 then",
            "  if redis.call('XDEL', KEYS[5], place) >= 0 then",
        ),
    ),
    _bug("intents of the dead not recovered", (LAUNCH, "if survey.left_over:", "if False:")),
    _bug("intents trimmed", (GRAB_LUA, "'XADD', KEYS[5], '*'", "'XADD', KEYS[5], 'MAXLEN', 2, '*'")),
    _bug(
        "closing not checked in the database",
        (GRABBING, "    if state.status is RoundStatus.PAUSED:", "    if False:"),
        (GRABBING, "    if state.status is not RoundStatus.SCHEDULED:", "    if False:"),
    ),
    _bug(
        "eligibility not checked again",
        (
            GRABBING,
            "        entitled = standing.entitled.get(seat)\n",
            "        entitled = standing.entitled.get(seat)\n"
            "        if entitled is None and claim.amount_fen is not None:\n"
            "            entitled = Entitled('', claim.amount_fen, 10**12)\n",
        ),
    ),
    _bug(
        "refusals not recorded",
        (
            GRABBING,
            "UNSTORED = frozenset({GrabOutcome.KEY_REUSED, GrabOutcome.PAUSED, GrabOutcome.STALE})",
            "UNSTORED = frozenset(set(GrabOutcome) - {GrabOutcome.GRANTED, GrabOutcome.ALREADY})",
        ),
    ),
    _bug("own result after the window", (GRAB_LUA, _OWN_RESULT + _WINDOW, _WINDOW + _OWN_RESULT)),
    _bug(
        "epoch not raised by a rebuild",
        (STORE, "epoch = budget.epoch + 1", "epoch = budget.epoch"),
        (
            "server/gateways/lua/install.lua",
            "tonumber(present) >= tonumber(ARGV[1])",
            "tonumber(present) > tonumber(ARGV[1])",
        ),
    ),
    _bug(
        "older Redis not noticed",
        (GATE, "if link.run_id == run_id:", "if True:"),
        (LAUNCH, " and survey.run_id == link.run_id:", ":"),
        (LAUNCH, "survey.run_id == link.run_id and survey.round_epoch", "survey.round_epoch"),
    ),
    _bug(
        "install sent again to another Redis",
        (
            LAUNCH,
            "        standing = await self.gate.install(link, snapshot)\n",
            "        try:\n"
            "            standing = await self.gate.install(link, snapshot)\n"
            "        except LaneBroken:\n"
            "            link = await self.gate.lane.link()\n"
            "            standing = await self.gate.install(link, snapshot)\n",
        ),
    ),
    _bug("latch for retries too", (LATCH, "armed is None or attempt != 1 or", "armed is None or")),
    _bug(
        "latch armed by a larger face value",
        (LATCH, "if seen.undecided or seen.remaining_fen >= seen.smallest_fen:", "if seen.undecided:"),
        (
            LATCH,
            "if winners.remaining_fen < winners.smallest_fen and winners.undecided == 0:",
            "if winners.undecided == 0:",
        ),
    ),
)
"""The twenty of the closing line."""

FOUND = (
    _bug(
        "one key for two rounds in one group",
        (
            GRABBING,
            "            reused = first.claim.round_id != claim.round_id\n",
            "            reused = False\n",
        ),
    ),
    _bug(
        "a retry refused without asking the rows",
        (GRABS, "        if ask.attempt == 1:\n", "        if ask.attempt:\n"),
    ),
    _bug(
        "money of a halted grab given back",
        (LAUNCH, "            if result.outcome is GrabOutcome.PAUSED:\n", "            if False:\n"),
    ),
)
"""What the simulation found in the product itself, planted again: these stay found."""
