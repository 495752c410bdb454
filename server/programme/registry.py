"""The programmes the server knows, by slug and version, and whether they are fit for real money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from server.errors import Refusal
from server.programme.faults import ProgrammeError
from server.programme.loader import load_programme
from server.programme.model import Programme
from server.programme.policy import ProgrammeStatus


class UnknownProgramme(Refusal):
    """No programme has this slug, or none of its versions is the one asked for."""

    status, code = 404, "unknown_programme"


class Programmes:
    """All versions of all programmes. Iterating gives the newest version of each, by slug."""

    def __init__(self, programmes: Iterable[Programme]) -> None:
        # Newest last: by the first day of validity, then by the name of the version.
        ordered = sorted(programmes, key=lambda one: (one.slug, one.valid_from, one.version))
        self._versions = {(one.slug, one.version): one for one in ordered}
        self._newest = {one.slug: one for one in ordered}

    @classmethod
    def load(cls, directory: Path) -> Programmes:
        """Read every ``*.toml`` of a directory. Raises :class:`ProgrammeError` on the first fault."""
        known: dict[tuple[str, str], Path] = {}
        programmes = []
        for file in sorted(directory.glob("*.toml")):
            programme = load_programme(file)
            identity = (programme.slug, programme.version)
            if identity in known:
                found = f'"{programme.slug}" version "{programme.version}" again'
                raise ProgrammeError(
                    file, 0, "identity.version", found, f"another version than in {known[identity].name}"
                )
            known[identity] = file
            programmes.append(programme)
        if not programmes:
            raise ProgrammeError(directory, 0, "", "no programme", "at least one *.toml")
        return cls(programmes)

    def __iter__(self) -> Iterator[Programme]:
        return iter(self._newest.values())

    def __len__(self) -> int:
        return len(self._newest)

    def __contains__(self, slug: object) -> bool:
        return slug in self._newest

    def get(self, slug: str) -> Programme:
        """The newest version of a programme. Raises :class:`UnknownProgramme`."""
        try:
            return self._newest[slug]
        except KeyError:
            raise UnknownProgramme(programme=slug) from None

    def name_of(self, slug: str) -> str:
        """What a programme is called; one that is gone is called by its slug."""
        return self._newest[slug].name if slug in self._newest else slug

    def version(self, slug: str, version: str) -> Programme:
        """The version a voucher, order or settlement was made under. Raises :class:`UnknownProgramme`."""
        try:
            return self._versions[slug, version]
        except KeyError:
            raise UnknownProgramme(programme=slug) from None

    def versions(self, slug: str) -> tuple[Programme, ...]:
        """Every version of a programme, oldest first."""
        return tuple(one for (known, _), one in self._versions.items() if known == slug)

    def in_force(self, on: date) -> tuple[Programme, ...]:
        """What may be used on a day: of each programme, the newest version in force."""
        ruling = {one.slug: one for one in self._versions.values() if one.in_force(on)}
        return tuple(ruling.values())

    def unfit_for_production(self, on: date) -> tuple[str, ...]:
        """Why production must not start with these programmes on a day; empty: it may."""
        return tuple(reason for slug in self._newest for reason in _unfit(self.versions(slug), on))


def _unfit(versions: tuple[Programme, ...], on: date) -> Iterator[str]:
    """A programme is fit if one of its versions is in force; else the newest says why not."""
    if any(one.in_force(on) for one in versions):
        return
    newest = versions[-1]
    if newest.status is not ProgrammeStatus.IN_FORCE:
        yield f"{newest.slug} {newest.version}: its status is {newest.status}"
    elif on < newest.valid_from:
        yield f"{newest.slug} {newest.version}: in force only from {newest.valid_from}"
    else:
        yield f"{newest.slug} {newest.version}: its validity ended on {newest.valid_until}"
