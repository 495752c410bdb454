"""The chart of the chat as data: its states, what each asks for and accepts, and where each answer leads.

The file is ``config/chat.toml``. What people read stands in ``server/texts/chat.py`` under the keys named
here; whether a key has its sentence is checked together with the chart, before the server starts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from server.programme.faults import Fault
from server.programme.loader import load_table

LONGEST_ANSWER_BYTES = 2048
"""What WeChat takes as one passive text."""


class Ask(StrEnum):
    """What a state waits for."""

    CHOICE = "choice"
    """One of its numbered choices."""
    OFFER = "offer"
    """One of the numbered things that are the person's own; where `field` allows, words instead."""
    TEXT = "text"
    """Whatever is said."""
    COLLECT = "collect"
    """Whatever is said and sent, until 完成."""
    DAY = "day"
    """A day, as people say it."""
    NAME = "name"
    CONTACT = "contact"
    """A telephone number or an e-mail address."""
    MEDIA = "media"
    """Pictures, voices, videos, files, until 完成."""
    END = "end"
    """Nothing: the conversation is over."""


class Act(StrEnum):
    """What is done when an end is reached."""

    FILE = "file"
    ASK_STAFF = "ask_staff"
    SUPPLEMENT = "supplement"
    URGE = "urge"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"
    REOPEN = "reopen"
    RATE = "rate"


class Shelf(StrEnum):
    """Where numbered offers come from."""

    PROGRAMMES = "programmes"
    ORDERS = "orders"
    ROUNDS = "rounds"
    CASES = "cases"


class Command(StrEnum):
    """What can be said in every state."""

    BACK = "back"
    CANCEL = "cancel"
    SKIP = "skip"
    DONE = "done"
    FORM = "form"
    REPEAT = "repeat"
    """A greeting or a call for help: the question is said once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWords:
    """The words for a command. They count only when nothing else is said."""

    means: Command
    """Which command."""
    words: tuple[str, ...]
    """How people say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A door into the chart from anywhere: a menu button, or its words."""

    code: str
    """Stable code."""
    menu_keys: tuple[str, ...] = ()
    """The menu buttons that lead here."""
    words: tuple[str, ...] = ()
    """Words that lead here when nothing else is said."""
    next: str = ""
    """The state it leads to; absent: its sentence is all, and the question is repeated."""
    say: str = ""
    """The sentence of an entry that leads nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One numbered choice of a state."""

    code: str
    """Stable code, and the value that `field` gets."""
    say: str
    """The key of its label."""
    next: str
    """The state it leads to."""
    words: tuple[str, ...] = ()
    """Words that mean it when nothing else is said."""
    deed: str = ""
    """Shown only where the case allows this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One place in the conversation."""

    code: str
    """Stable code, as conversations keep it."""
    ask: Ask
    """What it waits for."""
    say: str
    """The key of its question, or of an end's last words."""
    field: str = ""
    """Where the answer is kept."""
    next: str = ""
    """The state after an answer that is no choice."""
    optional: bool = False
    """May be passed over by 跳过."""
    choices: tuple[Choice, ...] = ()
    """The numbered choices."""
    offers: Shelf | None = None
    """Where its numbered offers come from."""
    bare: str = ""
    """The key of its question when there is nothing to offer."""
    without: str = ""
    """The state to go to instead when there is nothing to offer."""
    alone: bool = False
    """Of one offer alone it is taken, and nothing is asked."""
    clears: tuple[str, ...] = ()
    """States to be asked anew after another answer here."""
    reasks: bool = False
    """What is chosen here is asked again, though it was answered."""
    side: bool = False
    """Beside a complaint: it is gone on with afterwards."""
    gathers: bool = False
    """What was said before and found no place belongs here."""
    warning: str = ""
    """The key of what is said before the question when an order is named."""
    act: Act | None = None
    """What is done on reaching this end."""
    refused: str = ""
    """The state to go back to when it cannot be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRules:
    """What may be sent as evidence in a conversation. Forms have rules of their own."""

    extensions: frozenset[str]
    """Formats that are kept."""
    max_bytes: int
    """Largest size of one, in bytes, inclusive."""
    most: int
    """How many in one conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The whole conversation."""

    home: str
    """The state of whoever has not begun anything."""
    leave: str
    """The state that asks whether everything is to be dropped."""
    resume_after_hours: int
    """After so long a silence it is said where one left off."""
    keep_days: int
    """After so long a silence the conversation ends and what was said is forgotten."""
    form_minutes: int
    """How long a link to the form holds."""
    longest_draft: int
    """How many characters one conversation may hold."""
    form_path: str
    """The form in the mini-program; `{token}` is the link's."""
    market_path: str
    """The marketplace in the mini-program."""
    grab_path: str
    """The rounds in the mini-program."""
    media: MediaRules
    """What may be sent."""
    commands: tuple[CommandWords, ...]
    """The commands."""
    entries: tuple[Entry, ...]
    """The doors."""
    states: tuple[State, ...]
    """The states."""

    def state(self, code: str) -> State:
        """The state of this code. Raises ``KeyError``."""
        for one in self.states:
            if one.code == code:
                return one
        raise KeyError(code)

    def has(self, code: str) -> bool:
        """Whether there is a state of this code; a conversation may be older than the chart."""
        return any(one.code == code for one in self.states)


def load_chart(file: Path, sentences: Collection[str], spoken: Collection[str] = ()) -> Chart:
    """Read the chart, whose every key must be one of ``sentences`` and every sentence used.

    ``spoken`` are the sentences the machine says by itself. Raises ``ProgrammeError`` on the first fault.
    """

    def faults(chart: Chart) -> Iterator[Fault]:
        yield from _shape_faults(chart)
        yield from _word_faults(chart)
        yield from _path_faults(chart)
        yield from _sentence_faults(chart, sentences, spoken)

    return load_table(file, Chart, faults)


def ways(state: State) -> tuple[str, ...]:
    """Every state that an answer to this one can lead to, in order, each once."""
    onward = (*(one.next for one in state.choices), state.next, state.without, state.refused)
    return tuple(dict.fromkeys(code for code in onward if code))


def _shape_faults(chart: Chart) -> Iterator[Fault]:
    for place, state in enumerate(chart.states):
        where = f"state[{place}]"
        for code in (*ways(state), *state.clears):
            if not chart.has(code):
                yield Fault(where, f'"{code}"', "the code of a state")
        if state.ask is Ask.END and (state.choices or state.next or state.field):
            yield Fault(where, "an end that goes on", "neither choices nor next nor field")
        if (state.act is None) is not (not state.refused) or (state.act and state.ask is not Ask.END):
            yield Fault(f"{where}.act", "an act", "an end with act and refused")
        if state.ask is Ask.CHOICE and not state.choices:
            yield Fault(f"{where}.ask", "no choice", "at least one choice")
        if (state.ask is Ask.OFFER) is not (state.offers is not None):
            yield Fault(f"{where}.offers", "offers", "with ask = offer, and only there")
        if state.ask not in (Ask.CHOICE, Ask.END) and not (state.next and state.field):
            yield Fault(where, "no next or no field", "both, for an answer that is no choice")
        if state.optional and not state.next:
            yield Fault(f"{where}.optional", "true", "a next to pass over to")
    for name in (chart.home, chart.leave):
        if not chart.has(name) or chart.state(name).ask is not Ask.CHOICE:
            yield Fault("home", f'"{name}"', "the code of a state with choices")
    for place, entry in enumerate(chart.entries):
        if bool(entry.next) is bool(entry.say) or (entry.next and not chart.has(entry.next)):
            yield Fault(f"entry[{place}]", "next and say", "a known state, or a sentence, not both")
    for path in (chart.form_path,):
        if "{token}" not in path:
            yield Fault("form_path", f'"{path}"', "a path with {token}")


def _word_faults(chart: Chart) -> Iterator[Fault]:
    """One word means one thing wherever it can be said."""
    everywhere: set[str] = set()
    said = [
        *((f"command[{place}].words", one.words) for place, one in enumerate(chart.commands)),
        *((f"entry[{place}].words", one.words) for place, one in enumerate(chart.entries)),
    ]
    for where, words in said:
        for word in words:
            if word in everywhere:
                yield Fault(where, f'"{word}" again', "each only once")
            everywhere.add(word)
    for place, state in enumerate(chart.states):
        here = [word for choice in state.choices for word in choice.words]
        for word in here:
            # At home a choice and its door are the same thing.
            if here.count(word) > 1 or (word in everywhere and state.code != chart.home):
                yield Fault(f"state[{place}]", f'"{word}"', "a word that means one thing here")


def _path_faults(chart: Chart) -> Iterator[Fault]:
    """Every state can be reached, and from every state an end."""
    onward = {state.code: set(ways(state)) for state in chart.states}
    starts = {chart.home, chart.leave, *(one.next for one in chart.entries if one.next)}
    reached = _closure(starts, onward)
    backward: dict[str, set[str]] = {code: set() for code in onward}
    for code, following in onward.items():
        for one in following:
            backward[one].add(code)
    ends = {state.code for state in chart.states if state.ask is Ask.END}
    ending = _closure(ends, backward)
    for place, state in enumerate(chart.states):
        if state.code not in reached:
            yield Fault(f"state[{place}].code", f'"{state.code}"', "a state that can be reached")
        if state.code not in ending:
            yield Fault(f"state[{place}].code", f'"{state.code}"', "a state from which an end is reached")


def _closure(starts: Collection[str], onward: dict[str, set[str]]) -> set[str]:
    found, waiting = set(starts), list(starts)
    while waiting:
        for code in onward[waiting.pop()] - found:
            found.add(code)
            waiting.append(code)
    return found


def sentences_of(chart: Chart) -> Iterator[tuple[str, str]]:
    """Every sentence the chart names, as (where, key)."""
    for place, state in enumerate(chart.states):
        for key in (state.say, state.bare, state.warning, *(one.say for one in state.choices)):
            if key:
                yield f"state[{place}]", key
    for place, entry in enumerate(chart.entries):
        if entry.say:
            yield f"entry[{place}].say", entry.say


def _sentence_faults(chart: Chart, sentences: Collection[str], spoken: Collection[str]) -> Iterator[Fault]:
    named = list(sentences_of(chart))
    for where, key in (*named, *(("", key) for key in spoken)):
        if key not in sentences:
            yield Fault(where, f'"{key}"', "the key of a sentence of texts.CHAT")
    unused = set(sentences) - {key for _, key in named} - set(spoken)
    if unused:
        yield Fault("", f"nobody says {sorted(unused)}", "sentences that are said")
