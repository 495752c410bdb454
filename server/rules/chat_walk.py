"""A walk in the chart: where a conversation stands, where it goes, and what is said on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from server import texts
from server.programme.chart import Ask, Chart, Choice, Shelf, State
from server.rules.chat_draft import Draft
from server.rules.chat_turns import Offer, Offers, Turn
from server.rules.said import Say, echoed, labelled, summary

MOST_OFFERS = 9


class Walk:
    """One step being taken. It may be taken once."""

    def __init__(self, chart: Chart, state: str, draft: Draft, offers: Offers, today: date) -> None:
        self.chart, self.draft, self.offers, self.today = chart, draft, offers, today
        # A conversation may be older than the chart it goes on in.
        known = chart.has(state) and chart.state(state).ask is not Ask.END
        self.state = chart.state(state if known else chart.home)
        self.said: list[Say] = []
        self._done: tuple[State, Draft] | None = None
        self._ended = False
        self.wants_form = False
        self._looked: set[Shelf] = set()

    def turn(self) -> Turn:
        act, acted, refused = None, Draft(), ""
        if self._done is not None:
            act, acted, refused = self._done[0].act, self._done[1], self._done[0].refused
        return Turn(
            self.state.code,
            self.draft,
            tuple(self.said),
            act=act,
            acted=acted,
            refused=refused,
            ended=self._ended,
            wants_form=self.wants_form,
            looked=frozenset(self._looked),
        )

    def offer_form(self) -> None:
        """Give a link to the form, in which everything is filled in already."""
        self.say("form")
        self.wants_form = True

    def say(self, key: str, **values: str) -> None:
        self.said.append(Say(key, values))

    # -- moving ----------------------------------------------------------------------------------------

    def leave_for_side(self) -> None:
        """Leave the complaint, if there is one, so that it can be gone on with."""
        if self.state.side:
            self.draft = self.draft.put(case="", case_number="")
        else:
            left = "" if self.at_home else self.state.code
            self.draft = replace(self.draft, left_at=left)
            if left and left != self.chart.leave:
                self.draft = self.draft.through(left)

    def advance(self, code: str) -> None:
        """This state has its answer: on to ``code``."""
        here = self.state
        if here.field and not here.side:
            self.draft = self.draft.answering(here.code)
        self.move(code, over=not here.reasks)

    def move(self, code: str, *, over: bool = True) -> None:
        """Go to a state, remembering the way, and say what is to be said there."""
        if self.state.code not in (self.chart.leave, self.chart.home):
            self.draft = self.draft.through(self.state.code)
        self.go(code, over=over)
        self.ask()

    def go(self, code: str, *, over: bool = True) -> None:
        """Stand in a state, passing over what is answered or offers nothing; an end is come to."""
        passed: set[str] = set()
        while code not in passed:
            passed.add(code)
            self.state = here = self.chart.state(code)
            if here.offers is not None and not self.here and here.without:
                code = here.without
            elif here.alone and len(self.here) == 1 and here.offers is Shelf.PROGRAMMES:
                only = self.here[0]
                self.draft = self.draft.put(programme=only.programme, programme_name=only.label)
                self.draft = self.draft.answering(here.code)
                code = here.next
            elif over and here.field and here.code in self.draft.answered:
                given = self.draft.get(here.field)
                code = next((one.next for one in here.choices if one.code == given), here.next)
            else:
                return

    def ask(self) -> None:
        """Put the question of where we stand, or say an end's last words."""
        here = self.state
        if here.ask is Ask.END:
            self._end(here)
            return
        if self._done is not None and self._ended:
            return
        if here.warning and self._names_an_order:
            self.say(here.warning)
        if here.gathers and self.draft.remarks:
            self.say("gathered", said=echoed(" / ".join(self.draft.remarks)))
        key = here.bare if here.bare and not self.here else here.say
        self.said.append(Say(key, self._values(here), self._lines()))

    def _end(self, here: State) -> None:
        self._done = here, self.draft
        number = self.draft.get("case_number")
        self.said.append(Say(here.say, {"number": number} if number else {}))
        if here.side:
            self.end_side()
        else:
            self.state, self.draft, self._ended = self.chart.state(self.chart.home), Draft(), True

    def end_side(self) -> None:
        """Go on with the complaint that was left, or be at home again."""
        left = self.draft.left_at
        done = self._done is not None and self._done[0].act is not None
        beside = {one.code for one in self.chart.states if one.side}
        path = tuple(one for one in self.draft.path if one not in beside and one != left)
        self.draft = replace(self.draft.without_side(done=done), path=path)
        if left and self.chart.has(left):
            self.state = self.chart.state(left)
            self.say("going_on")
            self.ask()
            return
        self.state = self.chart.state(self.chart.home)
        self.draft = replace(self.draft, path=())
        self._ended = self.draft.is_empty

    # -- what stands here ------------------------------------------------------------------------------

    @property
    def at_home(self) -> bool:
        return self.state.code == self.chart.home

    @property
    def words(self) -> str:
        return self.draft.get("words")

    @property
    def media_here(self) -> tuple[int, ...]:
        return self.draft.side_media if self.state.side else self.draft.media

    @property
    def _names_an_order(self) -> bool:
        return self.draft.get("kind") == "order" and bool(self.draft.get("subject"))

    @property
    def state_of_cases(self) -> str:
        return next(one.code for one in self.chart.states if one.offers is Shelf.CASES)

    def shelf(self, shelf: Shelf) -> tuple[Offer, ...]:
        """What may be chosen from a shelf."""
        self._looked.add(shelf)
        return self.offers.get(shelf, ())[:MOST_OFFERS]

    @property
    def here(self) -> tuple[Offer, ...]:
        return () if self.state.offers is None else self.shelf(self.state.offers)

    @property
    def _case(self) -> Offer | None:
        known = self.draft.get("case")
        return next((one for one in self.shelf(Shelf.CASES) if str(one.id) == known), None) if known else None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The choices that may be made here: of a case, what its standing allows."""
        if self.state.ask is not Ask.CHOICE:
            return ()
        deeds = self._case.deeds if self._case is not None else frozenset()
        return tuple(one for one in self.state.choices if not one.deed or one.deed in deeds)

    def _lines(self) -> tuple[str, ...]:
        labels = [texts.CHAT[one.say] for one in self.choices]
        labels += [labelled(one.label) for one in self.here]
        option = texts.CHAT_WORDS["option"]
        return tuple(option.format(number=place, label=label) for place, label in enumerate(labels, 1))

    def _values(self, here: State) -> dict[str, str]:
        values = {
            "number": self.draft.get("case_number"),
            "standing": "" if self._case is None else self._case.standing,
        }
        if "{summary}" in texts.CHAT[here.say]:
            kinds = {
                one.code: texts.CHAT[one.say]
                for each in self.chart.states
                for one in each.choices
                if each.field == "kind"
            }
            values["summary"] = summary(self.draft, kinds)
        return values
