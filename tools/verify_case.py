"""Check an exported case: ``python verify_case.py case.zip`` (or the directory it was unpacked into).

For an auditor who trusts nobody: this file needs Python 3.11 or newer and nothing else. It recomputes the
hash of every file, the chain of every subject of the journal, the way from each entry to the signed root of
its day, the signatures (Ed25519) and what the time stamps (RFC 3161) vouch for, prints what it found, and
ends with status 0 only when nothing is wrong.

Two things come from elsewhere, or the ZIP vouches for itself alone: ``--key`` is the fingerprint of the
platform's key, as its open page and its paper publish it; ``--anchor`` is the file that the keeper of the
days' roots holds. How everything is written and hashed, docs/proof.md says.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
KEYS, JOURNAL = "proof/keys.json", "proof/journal.jsonl"
PROOFS, DAYS = "proof/proofs.jsonl", "proof/days.jsonl"
LINK_DOMAIN, DAY_DOMAIN = b"qiquan-journal-link-v1\n", b"qiquan-day-root-v1\n"
MANIFEST_DOMAIN = b"qiquan-case-manifest-v1\n"
FILES, GENESIS, PIECE = "files/", "0" * 64, 1 << 20
STAMPED_WITHIN = timedelta(days=7)  # a later stamp says nothing of what stood there before it
SIDES = ("provider", "enterprise")
"""Copies that tell what officials did by its hash alone."""

Point = tuple[int, int, int, int]
Line = dict[str, Any]
Pinned = list[str] | None


class Unreadable(Exception):
    """What was given is no exported case; the message says why."""


BROKEN = Exception
"""What reading a file ends with that is none of ours: whatever somebody put into it, it is answered."""


# -- Ed25519 (RFC 8032): checking alone, so nothing here has to be quick or constant in time -----------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _recovered(y: int, sign: int) -> int | None:
    """The x of a point, or ``None`` where there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(raw: bytes) -> Point | None:
    """A point from its 32 bytes, in extended coordinates; ``None`` for no point."""
    number = int.from_bytes(raw, "little")
    y = number & (1 << 255) - 1
    x = _recovered(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def _sum(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(factor: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = _sum(total, point)
        point, factor = _sum(point, point), factor >> 1
    return total


def _same(one: Point, two: Point) -> bool:
    return not ((one[0] * two[2] - two[0] * one[2]) % P or (one[1] * two[2] - two[1] * one[2]) % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = _recovered(BASE_Y, 0) or 0
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a public key made this signature of these bytes (RFC 8032, 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r, s = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    return _same(_times(s, BASE), _sum(r, _times(int.from_bytes(digest, "little") % ORDER, key)))


# -- documents, chains and trees -------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """A document's bytes: JSON written in one way only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def root_through(content: str, position: int, size: int, path: list[str]) -> str | None:
    """The root that an inclusion proof leads to (RFC 6962); ``None`` where it does not fit the tree."""
    if not 0 <= position < size:
        return None
    reached, width, beside = hashlib.sha256(b"\0" + bytes.fromhex(content)).digest(), size, list(path)
    while width > 1:
        if position ^ 1 < width:
            if not beside:
                return None
            other = bytes.fromhex(beside.pop(0))
            pair = other + reached if position & 1 else reached + other
            reached = hashlib.sha256(b"\1" + pair).digest()
        position, width = position // 2, (width + 1) // 2
    return None if beside else reached.hex()


# -- time stamps: as much of DER as the imprint and the instant need ----------------------------------------


def _values(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """The values that stand side by side in some DER, as (tag, content)."""
    at = 0
    while at < len(raw):
        tag, size, at = raw[at], raw[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(raw[at : at + width], "big"), at + width
        if at + size > len(raw):
            raise ValueError("cut short")
        yield tag, raw[at : at + size]
        at += size


def _inside(raw: bytes, place: int) -> bytes:
    return list(_values(raw))[place][1]


def stamp_of(token: bytes) -> tuple[str, datetime]:
    """Imprint (hex) and instant of a time-stamp response. Raises ``ValueError`` for what is none.

    That the authority's own signature holds, ``openssl ts -verify`` shows with the authority's certificate.
    """
    try:
        response = _inside(token, 0)
        data = _inside(_inside(_inside(response, 1), 1), 0)
        octets = _inside(_inside(_inside(data, 2), 1), 0)
        info = list(_values(_inside(octets, 0)))
        imprint = _inside(info[2][1], 1).hex()
        at = next(value for tag, value in info if tag == 0x18)[:14].decode("ascii")
    except (IndexError, StopIteration, UnicodeDecodeError) as fault:
        raise ValueError("no time stamp") from fault
    return imprint, datetime.strptime(at, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


# -- the case ----------------------------------------------------------------------------------------------


class Archive:
    """The files of a case, from a ZIP or a directory."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path) if path.is_file() else None
        self._folder = path
        if self._zip is not None:
            self.names = [one.filename for one in self._zip.infolist() if one.file_size or not one.is_dir()]
        elif path.is_dir():
            self.names = [one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file()]
        else:
            raise Unreadable(f"{path} is neither a file nor a directory")

    def open(self, name: str) -> IO[bytes]:
        """One file, to read."""
        return self._zip.open(name) if self._zip is not None else (self._folder / name).open("rb")

    def read(self, name: str) -> bytes:
        """All of one file. Raises :class:`Unreadable` where it is missing."""
        try:
            with self.open(name) as found:
                return found.read()
        except (KeyError, OSError) as fault:
            raise Unreadable(f"{name} is missing") from fault

    def lines(self, name: str) -> Iterator[Line]:
        """The documents of a file, one a line."""
        return (json.loads(line) for line in self.read(name).decode("utf-8").splitlines() if line)

    def sha256(self, name: str) -> str:
        """The hash of one file, read piece by piece, or why there is none."""
        made = hashlib.sha256()
        try:
            with self.open(name) as found:
                for piece in iter(lambda: found.read(PIECE), b""):
                    made.update(piece)
        except BROKEN as fault:
            return f"none ({fault})"
        return made.hexdigest()


class Verdict:
    """What was looked at, what is wrong, and what an auditor should know."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.counts: dict[str, int] = {}

    def fault(self, text: str) -> None:
        """Something is wrong."""
        self.faults.append(text)

    def note(self, text: str) -> None:
        """Something to know."""
        self.notes.append(text)


def verify(
    archive: Archive, pinned: Pinned = None, anchor: dict[int, Line] | None = None
) -> tuple[Line, Verdict]:
    """Check a case; ``pinned``: fingerprints of keys, ``anchor``: lines of the keeper's file by number."""
    verdict = Verdict()
    manifest = json.loads(archive.read(MANIFEST))
    keys = json.loads(archive.read(KEYS))
    _check_manifest(archive, keys, pinned, verdict)
    _check_files(archive, manifest, verdict)
    days = _check_days(archive, keys, pinned, anchor, verdict)
    _check_journal(archive, days, manifest["copy"] in SIDES, verdict)
    return manifest, verdict


def kept_in(text: str) -> dict[int, Line]:
    """The keeper's lines by the number of their day. Of two for one day the first one counts."""
    kept: dict[int, Line] = {}
    for one in map(json.loads, filter(None, text.splitlines())):
        kept.setdefault(one["number"], one)
    return kept


def fingerprint(public: str) -> str:
    """What people compare of a key: the SHA-256 of its 32 bytes."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()


def _trusted(key_id: str, keys: dict[str, str], pinned: Pinned, named: str, verdict: Verdict) -> bytes | None:
    """The public key, or ``None`` with the fault said."""
    public = keys.get(key_id)
    if public is None:
        verdict.fault(f"{named} is signed by {key_id}, whose key is not here")
        return None
    if key_id[9:] != fingerprint(public)[:8]:
        verdict.fault(f"key {key_id} is another one than its name says")
        return None
    if pinned and fingerprint(public) not in pinned:
        verdict.fault(f"{named} is signed by {key_id}, which is not the key you named")
        return None
    return bytes.fromhex(public)


def _check_manifest(archive: Archive, keys: dict[str, str], pinned: Pinned, verdict: Verdict) -> None:
    said = json.loads(archive.read(SIGNATURE))
    public = _trusted(said["key_id"], keys, pinned, "the list of files", verdict)
    message = MANIFEST_DOMAIN + archive.read(MANIFEST)
    if public is not None and not signed(public, bytes.fromhex(said["signature"]), message):
        verdict.fault(f"the list of files ({MANIFEST}) is not what was signed")
    for key_id, one in sorted(keys.items()):
        verdict.note(f"key {key_id}, fingerprint {fingerprint(one)}")


def _check_files(archive: Archive, manifest: Line, verdict: Verdict) -> None:
    listed, damaged = manifest["files"], set(manifest["damaged"])
    for name in sorted(damaged):
        verdict.fault(f"{name} was not given back by the platform as it was handed in")
    if len(set(archive.names)) != len(archive.names):
        verdict.fault("some names stand in the ZIP twice")
    for name in sorted(set(archive.names) - set(listed) - damaged - {MANIFEST, SIGNATURE}):
        verdict.fault(f"{name} was added: the list does not name it")
    for name, said in sorted(listed.items()):
        if name not in archive.names:
            verdict.fault(f"{name} was taken out")
            continue
        found = archive.sha256(name)
        if found != said:
            verdict.fault(f"{name} was changed: its hash is {found}, the list says {said}")
        if name.startswith(FILES) and name[len(FILES) :].partition(".")[0] != said:
            verdict.fault(f"{name} is not named by its hash")
    verdict.counts["files"] = len(listed)


def _check_days(
    archive: Archive,
    keys: dict[str, str],
    pinned: Pinned,
    anchor: dict[int, Line] | None,
    verdict: Verdict,
) -> dict[int, Line]:
    days: dict[int, Line] = {}
    before: Line | None = None
    for day in archive.lines(DAYS):
        said = day["statement"]
        named = "day {} (no. {})".format(said["day"], said["number"])
        message = DAY_DOMAIN + canonical(said)
        made = hashlib.sha256(message).hexdigest()
        if made != day["hash"]:
            verdict.fault(f"{named} says something else than its hash")
        public = _trusted(day["key_id"], keys, pinned, named, verdict)
        if public is not None and not signed(public, bytes.fromhex(day["signature"]), message):
            verdict.fault(f"{named} is not what was signed")
        follows = before is not None and before["statement"]["number"] + 1 == said["number"]
        if before is not None and follows and said["previous"] != before["hash"]:
            verdict.fault(f"{named} does not follow the day before it")
        kept = None if anchor is None else anchor.get(said["number"])
        for token in day["anchors"]:
            check_anchor(token, said, made, named, verdict, known=kept is not None)
        if kept is not None and kept["statement"] != made:
            verdict.fault("{} was signed anew: the keeper holds root {}".format(named, kept["root"]))
        elif anchor is not None and kept is None:
            verdict.fault(f"{named} is not in the keeper's file")
        if said["number"] in days:
            verdict.fault(f"{named} stands there twice")
        days[said["number"]], before = said, day
    verdict.counts["days"] = len(days)
    return days


def check_anchor(token: Line, day: Line, made: str, named: str, verdict: Verdict, *, known: bool) -> None:
    """What a time stamp or a blockchain says of a day; ``known``: the keeper's file tells of it, too."""
    if token["anchor"] == "rfc3161":
        try:
            imprint, at = stamp_of(base64.b64decode(token["token"]))
            late = at - datetime.fromisoformat(day["day"] + "T00:00+08:00") - timedelta(days=1)
        except ValueError:
            verdict.fault(f"the time stamp of {named} cannot be read")
            return
        if imprint != made:
            verdict.fault(f"{named} was signed anew: its time stamp of {at} is over {imprint}")
        else:
            verdict.note(f"{named} carries a time stamp of {at}; who made it, openssl ts -verify shows")
            if late > STAMPED_WITHIN:
                (verdict.note if known else verdict.fault)(f"{named} was stamped late by {late.days} days")
    elif token["anchor"] == "blockchain":
        try:
            said = json.loads(base64.b64decode(token["token"]))
            kept, where = said["statement"], said.get("transaction", "")
        except (ValueError, KeyError):
            verdict.fault(f"the blockchain's answer about {named} cannot be read")
            return
        if kept != made:
            verdict.fault(f"{named} was signed anew: the blockchain holds {kept}")
        else:
            verdict.note(f"{named} is in the blockchain: transaction {where}")


def _check_journal(archive: Archive, days: dict[int, Line], hides: bool, verdict: Verdict) -> None:
    signed_to = max((said["last_place"] for said in days.values()), default=0)
    proofs = {one["place"]: one for one in archive.lines(PROOFS)}
    heads: dict[str, tuple[int, str]] = {}
    entries = hidden = waiting = late = 0
    for line in archive.lines(JOURNAL):
        entries += 1
        entry, named = line.get("entry"), "{} no. {}".format(line["subject"], line["seq"])
        if entry is None and hides:
            hidden += 1
        elif entry is None:
            verdict.fault(f"{named} was taken out of the journal: its hash alone is left")
        else:
            made = hashlib.sha256(LINK_DOMAIN + canonical(entry)).hexdigest()
            place = (entry["subject"], entry["seq"], entry["previous"])
            if made != line["hash"] or place != (line["subject"], line["seq"], line["previous"]):
                verdict.fault("{} (entry {}) was changed".format(named, entry["id"]))
        seq, head = heads.get(line["subject"], (0, GENESIS))
        if line["seq"] != seq + 1:
            verdict.fault(f"{named}: what stood before it is missing, or they changed places")
        elif line["previous"] != head:
            verdict.fault(f"{named} does not follow what stands before it")
        heads[line["subject"]] = (line["seq"], line["hash"])
        late += bool(line["late"])
        proof = proofs.get(line["place"])
        if proof is None:
            waiting += 1
            if line["place"] <= signed_to:
                verdict.fault(f"{named} is older than the last signed day and has no proof")
            continue
        said = days.get(proof["day"])
        if said is None:
            verdict.fault(f"{named}: the day its proof names is not here")
            continue
        position = line["place"] - said["first_place"]
        if root_through(line["hash"], position, said["count"], proof["path"]) != said["root"]:
            verdict.fault("{} does not stand under the root of {}".format(named, said["day"]))
    verdict.counts.update(entries=entries, chains=len(heads), proved=entries - waiting)
    if hidden:
        verdict.note(f"{hidden} entries are here by their hash alone: their words are not for this copy")
    if waiting:
        verdict.note(f"{waiting} entries are newer than the last signed day: chained, not under a root yet")
    if late:
        verdict.note(f"{late} entries were chained late")


def main(arguments: list[str]) -> int:
    """Check and print; the exit status."""
    parser = argparse.ArgumentParser(description="Check an exported case.")
    parser.add_argument("case", type=Path, help="the ZIP, or the directory it was unpacked into")
    parser.add_argument("--key", action="append", type=str.lower, help="a fingerprint you trust; repeatable")
    parser.add_argument("--anchor", type=Path, help="the file of the keeper of the days' roots")
    chosen = parser.parse_args(arguments)
    try:
        anchor = kept_in(chosen.anchor.read_text(encoding="utf-8")) if chosen.anchor else None
        manifest, verdict = verify(Archive(chosen.case), chosen.key, anchor)
    except BROKEN as fault:
        print(f"FAULT  this is no exported case, or it is damaged: {fault}")
        return 1
    print("case   {}".format(manifest.get("case")))
    for text in verdict.notes:
        print(f"note   {text}")
    if not chosen.key:
        print("note   no --key was given: compare the fingerprint above with the published one")
    for text in verdict.faults:
        print(f"FAULT  {text}")
    counts = verdict.counts
    print(f"{counts['files']} files, {counts['entries']} entries in {counts['chains']} chains,", end=" ")
    print(f"{counts['proved']} of them under {counts['days']} signed days")
    clean = "nothing was altered" if chosen.key else "nothing was altered, if that key is the platform's"
    print(f"verdict: {f'{len(verdict.faults)} faults' if verdict.faults else clean}")
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
