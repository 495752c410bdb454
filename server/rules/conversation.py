"""The conversation: one thing heard, one step in the chart, one answer. Pure, and it never fails.

What is said is matched whole and exactly; whatever matches nothing is kept with the story, so that nothing
anybody writes is lost, and the question is put again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from server.programme.chart import Ask, Chart, Choice, Command, Entry, Shelf, State
from server.rules.chat_draft import Draft
from server.rules.chat_messages import MessageKind
from server.rules.chat_turns import Heard, Offer, Offers, Turn
from server.rules.chat_walk import Walk
from server.rules.said import Say, ago, echoed
from server.rules.spoken import cleaned, is_mute, number_of, plain, says
from server.rules.spoken_contacts import contact_in, digits_short_of_a_number
from server.rules.spoken_days import DayToCome, said_day

MEDIA = frozenset({MessageKind.IMAGE, MessageKind.VOICE, MessageKind.VIDEO, MessageKind.FILE})
ARRIVALS = frozenset({MessageKind.SUBSCRIBE, MessageKind.ENTER_SESSION})
LONGEST_NAME, LONGEST_CONTACT = 40, 60
NUMBER_OF_A_CASE = re.compile(r"[a-z][a-z0-9-]{3,23}", re.ASCII)
"""As it may look when it is typed; whether it is one, the person's own cases say."""
BELONGS = {"subject": ("subject_id",), "programme": ("programme_name",)}
"""What is known with an answer, and forgotten with it."""
NAMED_IN_WORDS = frozenset({Shelf.ORDERS, Shelf.ROUNDS})
"""Where a thing that is not among the offers may be named in words."""


def step(
    chart: Chart,
    state: str,
    draft: Draft,
    heard: Heard,
    offers: Offers,
    *,
    today: date,
    silence: timedelta = timedelta(0),
) -> Turn:
    """One message later. ``today`` is a day in China, ``silence`` the time since the last message."""
    walk = _Listener(chart, state, draft, offers, today)
    begun = walk.state.code != chart.home or bool(draft.fields)
    walk.hear(replace(heard, text=cleaned(heard.text)))
    turn = walk.turn()
    if turn.ended or not begun or silence < timedelta(hours=chart.resume_after_hours):
        return turn
    resumed = (Say("resumed", {"ago": ago(silence)}), *(() if turn.wants_form else (Say("form"),)))
    return replace(turn, says=(*resumed, *turn.says), wants_form=True)


def asked_again(chart: Chart, state: str, draft: Draft, offers: Offers, *, today: date) -> tuple[Say, ...]:
    """The question of a state, put once more."""
    walk = Walk(chart, state, draft, offers, today)
    walk.ask()
    return tuple(walk.said)


class _Listener(Walk):
    """What one message means where the conversation stands."""

    # -- hearing ---------------------------------------------------------------------------------------

    def hear(self, heard: Heard) -> None:
        if heard.kind in ARRIVALS:
            self.say("welcome" if self.at_home else "going_on")
            self.ask()
        elif heard.kind is MessageKind.MENU_TAP:
            entry = next((one for one in self.chart.entries if heard.menu_key in one.menu_keys), None)
            if entry is None:
                self.say("unknown_button")
                self.ask()
            else:
                self._enter(entry)
        elif heard.kind in MEDIA:
            self._media(heard)
        elif heard.kind in (MessageKind.LOCATION, MessageKind.LINK):
            self.say("kept_place" if heard.kind is MessageKind.LOCATION else "kept_link")
            self._note(heard.text)
            self.ask()
        elif heard.kind is MessageKind.STICKER or (heard.text.strip() and is_mute(heard.text)):
            self.say("sticker")
            self.ask()
        elif heard.kind is not MessageKind.TEXT:
            self.say("unknown_kind")
            self.ask()
        elif not heard.text.strip():
            self.say("empty")
            self.ask()
        else:
            self._text(heard.text.strip())

    def _media(self, heard: Heard) -> None:
        if not heard.media:
            self.say("media_unfetched")
        elif len(self.media_here) >= self.chart.media.most:
            self.say("media_full", most=str(self.chart.media.most))
        else:
            if self.state.side:
                self.draft = replace(self.draft, side_media=(*self.draft.side_media, heard.media))
            else:
                self.draft = replace(self.draft, media=(*self.draft.media, heard.media))
            waits = self.state.ask in (Ask.MEDIA, Ask.COLLECT)
            spoken = heard.kind is MessageKind.VOICE
            if spoken and heard.text.strip():
                self.say("voice_heard", said=echoed(heard.text))
                self._text(heard.text.strip())
                return
            if spoken and self.state.ask is Ask.TEXT:
                self.say("voice_unheard")
            else:
                self.say("media_kept" if waits else "media_aside", count=str(len(self.media_here)))
            if waits:
                return
        self.ask()

    def _text(self, text: str) -> None:
        entry = next((one for one in self.chart.entries if says(text, one.words)), None)
        word = next((one for one in self.chart.commands if says(text, one.words)), None)
        cases = self.shelf(Shelf.CASES) if NUMBER_OF_A_CASE.fullmatch(plain(text)) else ()
        case = next((one for one in cases if plain(one.key) == plain(text)), None)
        # A state's own words come first: 满意 is an answer before it is anything else.
        if self._choice(text) is None and entry is not None:
            self._enter(entry)
        elif case is not None:
            self.leave_for_side()
            self._take(self.chart.state(self.state_of_cases), case)
        elif word is not None:
            self._command(word.means)
        elif self.draft.length + len(text) > self.chart.longest_draft:
            self.say("draft_full")
            self.ask()
        else:
            self._answer(text)

    def _enter(self, entry: Entry) -> None:
        if entry.say:
            self.say(entry.say)
            if not self.at_home:
                self.ask()
            return
        target = self.chart.state(entry.next)
        if target.side:
            if self.state.code != target.code:
                self.leave_for_side()
                self.go(target.code)
            self.ask()
        elif self.state.side and self.draft.left_at:
            self.end_side()
        elif self.at_home or self.state.side or self.state.code == self.chart.leave:
            self.draft = self.draft.without_side()
            self.move(target.code)
        else:
            self.say("going_on")
            self.ask()

    # -- commands --------------------------------------------------------------------------------------

    def _command(self, command: Command) -> None:
        if command is Command.BACK:
            self._back()
        elif command is Command.CANCEL:
            self._cancel()
        elif command is Command.FORM:
            self.offer_form()
            self.ask()
        elif command is Command.SKIP:
            self._skip()
        elif command is Command.DONE:
            self._finish()
        else:
            self.say("welcome" if self.at_home else "going_on")
            self.ask()

    def _back(self) -> None:
        if not self.draft.path and self.state.side:
            self.end_side()
            if self.at_home:
                self.ask()
            return
        if not self.draft.path:
            self.say("at_beginning")
            self.ask()
            return
        *path, last = self.draft.path
        self.draft = replace(self.draft, path=tuple(path))
        self.state = self.chart.state(last if self.chart.has(last) else self.chart.home)
        if not self.state.side:
            self.draft = self.draft.without_side()
        self.ask()

    def _cancel(self) -> None:
        if self.state.side:
            self.say("left")
            self.end_side()
        elif self.at_home and self.draft.is_empty:
            self.say("nothing_to_cancel")
            self.ask()
        elif self.state.code == self.chart.leave:
            self.ask()
        else:
            self.move(self.chart.leave, over=False)

    def _skip(self) -> None:
        if not self.state.optional:
            self.say("cannot_skip")
            self.ask()
        else:
            self.advance(self.state.next)

    def _finish(self) -> None:
        here = self.state
        if here.ask is Ask.MEDIA or (here.ask is Ask.COLLECT and (self.words or self.media_here)):
            self.advance(here.next)
        elif here.gathers and (self.draft.remarks or self.draft.get(here.field)):
            self._gather("")
            self.advance(here.next)
        elif here.optional:
            self.advance(here.next)
        else:
            self.say("nothing_to_finish")
            self.ask()

    # -- answers ---------------------------------------------------------------------------------------

    def _answer(self, text: str) -> None:
        answer = {
            Ask.CHOICE: self._choose,
            Ask.OFFER: self._pick,
            Ask.TEXT: self._tell,
            Ask.COLLECT: self._collect,
            Ask.DAY: self._date,
            Ask.NAME: self._name,
            Ask.CONTACT: self._contact,
            Ask.MEDIA: self._beside,
        }[self.state.ask]
        answer(text)

    def _choose(self, text: str) -> None:
        choice = self._choice(text)
        if choice is None:
            self._not_chosen(text)
            return
        if self.state.field:
            self._ask_anew(self.state.clears)
            self.draft = self.draft.put(**{self.state.field: choice.code})
        self.advance(choice.next)

    def _ask_anew(self, codes: Sequence[str]) -> None:
        """Forget the answers that hang on another one."""
        fields = [self.chart.state(code).field for code in codes]
        blank = {one: "" for name in fields for one in (name, *BELONGS.get(name, ()))}
        kept = tuple(one for one in self.draft.answered if one not in codes)
        self.draft = replace(self.draft, answered=kept).put(**blank)

    def _choice(self, text: str) -> Choice | None:
        choices, number = self.choices, number_of(text)
        if number is not None:
            return choices[number - 1] if number <= len(choices) else None
        return next((one for one in choices if says(text, one.words)), None)

    def _not_chosen(self, text: str) -> None:
        if number_of(text) is not None:
            self.say("choose")
        else:
            self._note(text)
            self.say("noted_at_home" if self.at_home else "choose_noted")
        self.ask()

    def _pick(self, text: str) -> None:
        offered, number = self.here, number_of(text)
        if number is not None:
            picked = offered[number - 1] if number <= len(offered) else None
        else:
            names = ((one, (one.key, one.label)) for one in offered)
            picked = next((one for one, known in names if says(text, known)), None)
        if picked is not None:
            self._take(self.state, picked)
        elif self.state.offers in NAMED_IN_WORDS and number is None:
            self.draft = self.draft.put(subject=text, subject_id="")
            self.advance(self.state.next)
        elif number is not None and not offered:
            self.say("too_little")
            self.ask()
        elif self.state.offers is Shelf.CASES and NUMBER_OF_A_CASE.fullmatch(plain(text)):
            self._note(text)
            self.say("unknown_case")
            self.ask()
        else:
            self._not_chosen(text)

    def _take(self, here: State, offer: Offer) -> None:
        """One of the offers of ``here`` was chosen."""
        if here.offers is Shelf.CASES:
            self.draft = self.draft.put(case=str(offer.id), case_number=offer.key)
        elif here.offers is Shelf.PROGRAMMES:
            self.draft = self.draft.put(programme=offer.programme, programme_name=offer.label)
        else:
            self.draft = self.draft.put(subject=offer.label, subject_id=str(offer.id))
            if offer.programme:
                self._know_programme(offer.programme)
        if here.side:
            self.state = here
            self.move(here.next, over=False)
        else:
            self.advance(here.next)

    def _know_programme(self, slug: str) -> None:
        """An order or a round says whose it is: nothing to ask."""
        name = next((one.label for one in self.shelf(Shelf.PROGRAMMES) if one.programme == slug), "")
        self.draft = self.draft.put(programme=slug, programme_name=name)
        for one in self.chart.states:
            if one.offers is Shelf.PROGRAMMES:
                self.draft = self.draft.answering(one.code)

    def _tell(self, text: str) -> None:
        if number_of(text) is not None:
            self.say("too_little")
            self.ask()
            return
        if self.state.gathers:
            self._gather(text)
        elif self.state.field == "subject":
            self.draft = self.draft.put(subject=text, subject_id="")
        elif self.state.side:
            self._note(text)
        else:
            self.draft = self.draft.put(**{self.state.field: text})
        self.advance(self.state.next)

    def _gather(self, text: str) -> None:
        """The story: what was said before it was asked for, and what is said now."""
        pieces = [*self.draft.remarks, text] if text else list(self.draft.remarks)
        if pieces:
            self.draft = replace(self.draft, remarks=()).put(**{self.state.field: "\n".join(pieces)})

    def _collect(self, text: str) -> None:
        self._note(text)
        self.say("collected")

    def _date(self, text: str) -> None:
        if number_of(text) is not None and "号" not in text:
            self.ask()
            return
        try:
            said = said_day(text, self.today)
        except DayToCome as ahead:
            self._note(text)
            self.say("day_ahead", day=ahead.day.isoformat())
            self.ask()
            return
        if said is None:
            self._add_to_story(text)
            self.say("added_to_story")
            self.ask()
            return
        self.draft = self.draft.put(
            **{self.state.field: said.day.isoformat(), "since_said": "" if said.exact else text}
        )
        self.say("day_taken", day=said.day.isoformat())
        self.advance(self.state.next)

    def _name(self, text: str) -> None:
        if len(text) > LONGEST_NAME or any(letter.isdigit() for letter in text):
            self._note(text)
            self.say("name_unclear")
            self.ask()
            return
        self.draft = self.draft.put(**{self.state.field: text})
        self.advance(self.state.next)

    def _contact(self, text: str) -> None:
        contact = contact_in(text)
        if not contact:
            self._note(text)
            count = digits_short_of_a_number(text)
            self.say("contact_digits" if count else "contact_unclear", count=str(count))
            self.ask()
            return
        if len(text) > LONGEST_CONTACT:
            self._note(text)
        self.draft = self.draft.put(
            **{self.state.field: text if len(text) <= LONGEST_CONTACT else contact[:LONGEST_CONTACT]}
        )
        self.advance(self.state.next)

    def _beside(self, text: str) -> None:
        """Words where pictures are asked for."""
        if number_of(text) is not None:
            self.ask()
            return
        self._add_to_story(text)
        self.say("story_grows")
        self.ask()

    def _add_to_story(self, text: str) -> None:
        told = self.draft.get("happened")
        self.draft = self.draft.put(happened=f"{told}\n{text}") if told else self.draft.noted(text)

    def _note(self, text: str) -> None:
        """Keep what was said where something else was asked."""
        if not text.strip():
            return
        if self.draft.length + len(text) > self.chart.longest_draft:
            self.say("draft_full")
        elif self.state.side:
            told = self.words
            self.draft = self.draft.put(words=f"{told}\n{text}" if told else text)
        else:
            self.draft = self.draft.noted(text)
