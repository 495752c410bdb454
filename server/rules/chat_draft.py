"""The draft of a conversation: everything somebody said so far, and where in the chart they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SIDE_FIELDS = frozenset({"case", "case_number", "words", "stars", "instance"})
"""What belongs to a dialogue beside the complaint, and is dropped with it."""
LONGEST_PATH = 40


@dataclass(frozen=True, slots=True)
class Draft:
    """What was said. ``fields`` by the names the chart gives them; every value is as the person wrote it."""

    fields: Mapping[str, str] = field(default_factory=dict)
    answered: tuple[str, ...] = ()
    """States that have their answer."""
    path: tuple[str, ...] = ()
    """States one came through, for 返回."""
    remarks: tuple[str, ...] = ()
    """What was said where something else was asked; it belongs to the story."""
    media: tuple[int, ...] = ()
    """Rows of what was sent for the complaint."""
    side_media: tuple[int, ...] = ()
    """Rows of what was sent for a case that was filed before."""
    left_at: str = ""
    """Where the complaint was left for something beside it."""

    def get(self, name: str) -> str:
        """A field, or ``""``."""
        return self.fields.get(name, "")

    def put(self, **values: str) -> Draft:
        """With these fields."""
        return replace(self, fields={**self.fields, **values})

    def noted(self, words: str) -> Draft:
        """With something that was said beside the question."""
        return replace(self, remarks=(*self.remarks, words))

    def answering(self, code: str) -> Draft:
        """With the state ``code`` answered."""
        return replace(self, answered=(*(one for one in self.answered if one != code), code))

    def through(self, code: str) -> Draft:
        """With one more state on the way back."""
        return replace(self, path=(*self.path, code)[-LONGEST_PATH:])

    def without_side(self, *, done: bool = False) -> Draft:
        """As it is after a dialogue beside the complaint; what nothing was ``done`` with is kept for it."""
        kept = {name: value for name, value in self.fields.items() if name not in SIDE_FIELDS}
        words, media = ("", ()) if done else (self.get("words"), self.side_media)
        after = replace(self, fields=kept, side_media=(), left_at="", media=(*self.media, *media))
        return after.noted(words) if words else after

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said yet that would be lost."""
        return not (self.fields or self.remarks or self.media)

    @property
    def length(self) -> int:
        """How many characters it holds."""
        return sum(map(len, self.fields.values())) + sum(map(len, self.remarks))

    def packed(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "fields": dict(self.fields),
            "answered": list(self.answered),
            "path": list(self.path),
            "remarks": list(self.remarks),
            "media": list(self.media),
            "side_media": list(self.side_media),
            "left_at": self.left_at,
        }

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> Draft:
        """What :meth:`packed` made."""
        return cls(
            fields=packed["fields"],
            answered=tuple(packed["answered"]),
            path=tuple(packed["path"]),
            remarks=tuple(packed["remarks"]),
            media=tuple(packed["media"]),
            side_media=tuple(packed["side_media"]),
            left_at=packed["left_at"],
        )
