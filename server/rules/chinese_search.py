"""Chinese search: what of a text is kept to be found, and what somebody who types something asks for.

Neither database knows where a Chinese word ends, so every pair of neighbouring characters is a term
(PostgreSQL's trigrams find nothing for 检测). A query finds what *contains* it: its terms narrow, and the
folded texts decide, so that nothing is found by accident. Folded are width, case and traditional
characters. Letters also find what sounds like them, by initials (jyjc) or spelled out (jiance).

A text is kept twice: as a ``title`` (what a thing is called) and, with everything else, as a ``body``. What
is called so comes first, then what lies in a category of that name, then what mentions it, and at last what
only lies in a category that covers such things among others (:class:`Tier`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from server.rules.traditional import SIMPLIFIED

LONGEST_QUERY = 64
"""Characters somebody may type; nobody looks for more."""
LONGEST_BODY = 400
"""Characters of a body that are searched: a row stays on one page of its table, however much was written."""
LONGEST_INDEXED_BYTES = 1100
"""Bytes of a title, and of the syllables: an index entry has to hold both."""
LEAST_SPELLED = 3
"""Letters from which on a query is also compared with whole syllables: "it" is in every 集团 (jituan)."""
BETWEEN = " "
"""Between the texts of one row; no query contains it, so none matches across."""
_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_PART = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+")
_CHINESE = re.compile(f"[{_HAN}]+")
_LETTERS = re.compile(r"[a-z0-9]+")
_LETTERS_A_TERM = 3


class Tier(StrEnum):
    """How well a thing is what a query asks for, the best first; each tier holds those before it as well."""

    TITLE = "t"
    """It is called so: the value begins the terms of titles."""
    NAMED = "n"
    """Its category is called so."""
    BODY = "b"
    """It says so of itself: the value begins the terms of bodies."""
    COVERED = "c"
    """Its category covers it, or goes by such a word, among others."""

    @property
    def text(self) -> Tier:
        """Which of the two kept texts is compared."""
        return Tier.TITLE if self in (Tier.TITLE, Tier.NAMED) else Tier.BODY


_SPELLED = "s"
_MARK = "m"


def fold(text: str) -> str:
    """A text as it is compared: one width, one case, simplified. Folding twice changes nothing."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded.translate(SIMPLIFIED)


def parts_of(query: str) -> tuple[str, ...]:
    """What a query asks for: its runs of Chinese and its runs of anything else that is written.

    All must be found, in any order and place. Empty where nothing can be: signs, emoji, spaces.
    """
    return tuple(dict.fromkeys(_PART.findall(fold(query))))


@dataclass(frozen=True, slots=True)
class Written:
    """What is kept of a thing to find it by. ``terms`` are what the index holds, the texts what decides."""

    title: str
    body: str
    spelled: str
    terms: frozenset[str]


def written(
    titles: Iterable[str], makers: Iterable[str], others: Iterable[str], marks: Iterable[str] = ()
) -> Written:
    """What is kept of a thing: its names, its makers' names, its other texts, and what it is filtered by.

    Names are found by their sound as well, other texts as they are written.
    """
    called, made = [_solid(text) for text in titles], [_solid(text) for text in makers]
    initials = {text: _initials(text) for text in (*called, *made)}
    title = _cut(_joined(*called, *(initials[text] for text in called)))
    told = _joined(title, *made, *(initials[text] for text in made))
    body = _joined(told, *map(_solid, others))[: max(LONGEST_BODY, len(told))]
    spelled = _cut(_joined(*map(_spelled, initials)))
    terms = {mark_term(mark) for mark in marks}
    for tier, text in ((Tier.TITLE, title), (Tier.BODY, body)):
        for word in text.split(BETWEEN):
            terms.update(tier.value + gram for gram in _grams(word, 1, 2))
            # Letters are few, so that their pairs are everywhere.
            terms.update(
                tier.value + gram for run in _LETTERS.findall(word) for gram in _grams(run, _LETTERS_A_TERM)
            )
    terms.update(_SPELLED + gram for word in spelled.split(BETWEEN) for gram in _grams(word, LEAST_SPELLED))
    return Written(title, body, spelled, frozenset(terms))


def mark_term(mark: str) -> str:
    """The term of something that is filtered by: a code, a path. No text has it."""
    return _MARK + mark


@dataclass(frozen=True, slots=True)
class Part:
    """One run of a query. ``by_sound``: letters that are also compared with syllables.

    ``marks`` are the categories it is another word for: what lies in one of them is found as well; of those
    in ``named`` it is in the very name.
    """

    text: str
    marks: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def by_sound(self) -> bool:
        """Whether spelled-out syllables may hold it."""
        return len(self.text) >= LEAST_SPELLED and _LETTERS.fullmatch(self.text) is not None

    def within(self, tier: Tier) -> tuple[str, ...]:
        """The categories in which a thing is found in this tier, whatever it says itself."""
        return {Tier.TITLE: (), Tier.COVERED: self.marks}.get(tier, self.named)

    def terms(self, tier: Tier) -> tuple[tuple[str, ...], ...]:
        """The ways to be a candidate for it: of one of them, every term."""
        size = min(_LETTERS_A_TERM if _LETTERS.fullmatch(self.text) else 2, len(self.text))
        ways = [tuple(tier.text.value + gram for gram in _grams(self.text, size))]
        if self.by_sound:
            ways.append(tuple(_SPELLED + gram for gram in _grams(self.text, LEAST_SPELLED)))
        ways += [(mark_term(mark),) for mark in self.within(tier)]
        return tuple(ways)


def tiers_of(parts: Sequence[Part]) -> tuple[Tier, ...]:
    """The tiers in which something can be found that is in none before, in their order."""
    empty = set()
    if not any(part.named for part in parts):
        empty.add(Tier.NAMED)
    if all(part.marks == part.named for part in parts):
        empty.add(Tier.COVERED)
    return tuple(tier for tier in Tier if tier not in empty)


@dataclass(frozen=True, slots=True)
class Synonyms:
    """The words of one category, its name first, made ready to be compared with what somebody types."""

    mark: str
    words: tuple[str, ...]
    initials: tuple[str, ...]
    spelled: tuple[str, ...]

    @classmethod
    def of(cls, mark: str, texts: Iterable[str]) -> Synonyms:
        """A category by its mark: its name, what it covers, what else people call it."""
        words = tuple(dict.fromkeys(filter(None, map(_solid, texts))))
        sounds = tuple(map(_sounds, words))
        return cls(mark, words, tuple(initials for initials, _ in sounds), tuple(full for _, full in sounds))

    def mean(self, part: Part) -> bool:
        """Whether somebody who types this may mean the category.

        It is in one of its words, or one of them is at least half of it. A single character is no word.
        """
        text = part.text
        if len(text) < 2:
            return False
        return (
            any(text in word or (word in text and len(word) * 2 >= len(text)) for word in self.words)
            or any(text in word for word in self.initials)
            or (part.by_sound and any(text in word for word in self.spelled))
        )

    @property
    def name(self) -> Synonyms:
        """The category's own name alone."""
        return Synonyms(self.mark, self.words[:1], self.initials[:1], self.spelled[:1])


def asked(query: str, synonyms: Iterable[Synonyms]) -> tuple[Part, ...]:
    """A query as its parts, each with the categories it is another word for."""
    known = tuple(synonyms)
    parts = []
    for text in parts_of(query):
        part = Part(text)
        meant = [one for one in known if one.mean(part)]
        named = [one.mark for one in meant if one.name.mean(part)]
        parts.append(Part(text, tuple(one.mark for one in meant), tuple(named)))
    return tuple(parts)


def holds(kept: Written, part: Part, tier: Tier) -> bool:
    """Whether a kept text holds a part: what both databases decide by, in their own words."""
    text = kept.title if tier.text is Tier.TITLE else kept.body
    return part.text in text or (part.by_sound and part.text in kept.spelled)


def _solid(text: str) -> str:
    """A text without anything but what is written: a mark between two words hides neither."""
    return "".join(_PART.findall(fold(text)))


def _syllables(run: str) -> list[str]:
    # Here: the dictionary is a fifth of the start of every command, and few spell anything.
    from pypinyin import lazy_pinyin

    return lazy_pinyin(run)


def _initials(text: str) -> str:
    """A solid text by the first letters of its syllables; what is not Chinese stays."""
    return _CHINESE.sub(lambda run: "".join(one[0] for one in _syllables(run[0])), text)


def _spelled(text: str) -> str:
    """A solid text by its syllables; what is not Chinese stays."""
    return _CHINESE.sub(lambda run: "".join(_syllables(run[0])), text)


@lru_cache(maxsize=4096)
def _sounds(text: str) -> tuple[str, str]:
    """Both of a solid text. Remembered: the words of categories are few, and looking them up is slow."""
    return _initials(text), _spelled(text)


def _joined(*texts: str) -> str:
    return BETWEEN.join(dict.fromkeys(text for text in texts if text))


def _cut(text: str) -> str:
    return text.encode()[:LONGEST_INDEXED_BYTES].decode(errors="ignore")


def _grams(word: str, *sizes: int) -> Iterator[str]:
    for size in sizes:
        for start in range(len(word) - size + 1):
            yield word[start : start + size]
