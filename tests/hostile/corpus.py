"""The corpus: each hostile file with the code by which it must be refused."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from tests.hostile.seeds import (
    chunk,
    deflated,
    drawing,
    enclose,
    film,
    link,
    page,
    paper,
    photo,
    png_of,
    script,
)

MISMATCH, BROKEN, LOCKED = "file_type_mismatch", "file_broken", "file_locked"
ACTIVE, DISGUISED, HEAVY = "file_active", "file_disguised", "file_too_heavy"
NAME, RULES, INFECTED = "file_name_unusable", "file_unacceptable", "file_infected"

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
PHP = b"<?php system($_GET['c']); ?>"
VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@dataclass(frozen=True)
class Hostile:
    """A file as it is sent, made only when it is its turn, and the code of its refusal."""

    title: str
    code: str
    make: Callable[[], bytes]
    name: str = "材料.pdf"
    declared: str = ""

    def __str__(self) -> str:
        return self.title


def archive(**members: bytes) -> bytes:
    """A ZIP."""
    buffer = BytesIO()
    with ZipFile(buffer, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def slipping() -> bytes:
    """A ZIP whose members would be unpacked elsewhere."""
    return archive(**{"../../etc/cron.d/x": b"x", "..\\..\\x.exe": b"MZ", "word/document.xml": b"<w/>"})


def _ico() -> bytes:
    buffer = BytesIO()
    page(64, 64).save(buffer, "ICO")
    return buffer.getvalue()


def _as(kind: str) -> bytes:
    buffer = BytesIO()
    page(80, 80).save(buffer, kind)
    return buffer.getvalue()


def _pretending() -> Iterator[Hostile]:
    """One thing that says it is another."""
    others = {
        "SVG": lambda: SVG,
        "HTML": lambda: HTML,
        "PHP": lambda: PHP,
        "a GIF": partial(_as, "GIF"),
        "a WebP": partial(_as, "WEBP"),
        "a BMP": partial(_as, "BMP"),
        "a TIFF": partial(_as, "TIFF"),
        "an icon": _ico,
        "a ZIP": slipping,
        "a program": lambda: b"MZ\x90\0" + bytes(500),
        "a Linux program": lambda: b"\x7fELF\2\1\1" + bytes(500),
        "a shell script": lambda: b"#!/bin/sh\nrm -rf /\n",
        "a film": film,
        "text": lambda: "只是文字".encode(),
        "zeros": lambda: bytes(2_000),
    }
    for what, make in others.items():
        for name in ("材料.pdf", "照片.jpg", "照片.png"):
            yield Hostile(f"{what} as {name[-3:]}", MISMATCH, make, name)
    yield Hostile("a PNG as jpg", MISMATCH, drawing, "a.jpg")
    yield Hostile("a JPEG as png", MISMATCH, photo, "a.png")
    yield Hostile("a PDF as jpg", MISMATCH, paper, "a.jpg")
    yield Hostile("a JPEG as pdf", MISMATCH, photo, "a.pdf")
    yield Hostile("a PDF behind HTML", MISMATCH, lambda: HTML + paper())
    yield Hostile("a GIF in front of a ZIP", MISMATCH, lambda: _as("GIF") + slipping(), "a.jpg")
    for declared in ("text/html", "image/svg+xml", "image/png", "application/zip", "nonsense"):
        yield Hostile(f"a PDF declared as {declared}", MISMATCH, paper, declared=declared)
    yield Hostile("a JPEG declared as PDF", MISMATCH, photo, "a.jpg", "application/pdf")


def _pictures() -> Iterator[Hostile]:
    end = chunk(b"IEND", b"")
    yield Hostile("nothing", BROKEN, lambda: b"", "a.jpg")
    yield Hostile("only the first bytes of a JPEG", BROKEN, lambda: photo()[:20], "a.jpg")
    yield Hostile("only the first bytes of a PNG", BROKEN, lambda: drawing()[:33], "a.png")
    yield Hostile("half a JPEG", BROKEN, lambda: photo()[: len(photo()) // 2], "a.jpg")
    yield Hostile("half a PNG", BROKEN, lambda: drawing()[: len(drawing()) // 2], "a.png")
    yield Hostile("a PNG without its end", BROKEN, lambda: drawing()[: -len(end)], "a.png")
    yield Hostile("a PNG with a wrong checksum", BROKEN, _wrong_checksum, "a.png")
    yield Hostile("a PNG of impossible width", BROKEN, lambda: _claiming(0, 10), "a.png")
    yield Hostile("a JPEG with a ZIP behind it", DISGUISED, lambda: photo() + slipping(), "a.jpg")
    yield Hostile("a JPEG with HTML behind it", DISGUISED, lambda: photo() + HTML, "a.jpg")
    yield Hostile("a JPEG with PHP in its comment", DISGUISED, lambda: photo(comment=PHP), "a.jpg")
    yield Hostile("a JPEG with a PDF behind it", DISGUISED, lambda: photo() + paper(), "a.jpg")
    yield Hostile(
        "a JPEG with a program behind it", DISGUISED, lambda: photo() + b"\x7fELF" + bytes(99), "a.jpg"
    )
    yield Hostile("a JPEG with a ZIP in its comment", DISGUISED, lambda: photo(comment=slipping()), "a.jpg")
    yield Hostile("a JPEG with an SVG in its comment", DISGUISED, lambda: photo(comment=SVG), "a.jpg")
    yield Hostile("a PNG with a ZIP behind it", DISGUISED, lambda: drawing() + slipping(), "a.png")
    yield Hostile("a PNG with anything behind it", DISGUISED, lambda: drawing() + b"more", "a.png")
    yield Hostile("a PNG with a script in its text", DISGUISED, lambda: _with_text(HTML), "a.png")
    yield Hostile("a PNG with a PDF in its text", DISGUISED, lambda: _with_text(paper()), "a.png")
    yield Hostile("a PNG that moves", MISMATCH, _moving, "a.png")
    yield Hostile("a pixel flood of 300 KB", HEAVY, lambda: png_of(50_000, 50_000), "a.png")
    yield Hostile("a pixel flood just above the limit", HEAVY, lambda: png_of(7_300, 7_300), "a.png")
    yield Hostile("a JPEG that claims 65,500 pixels a side", HEAVY, _claiming_jpeg, "a.jpg")
    yield Hostile("a JPEG with a virus", INFECTED, lambda: photo(comment=VIRUS), "a.jpg")


def _wrong_checksum() -> bytes:
    content = bytearray(drawing())
    content[29] ^= 0xFF
    return bytes(content)


def _claiming(width: int, height: int) -> bytes:
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\2\0\0\0"
    body = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def _claiming_jpeg() -> bytes:
    content = bytearray(photo())
    frame = next(place for mark in (b"\xff\xc0", b"\xff\xc2") if (place := content.find(mark)) > 0)
    content[frame + 5 : frame + 9] = (65_500).to_bytes(2, "big") * 2
    return bytes(content)


def _with_text(text: bytes) -> bytes:
    content, end = drawing(), chunk(b"IEND", b"")
    return content[: -len(end)] + chunk(b"tEXt", b"Comment\0" + text) + end


def _moving() -> bytes:
    buffer = BytesIO()
    frames = [page(80, 80, seed) for seed in (2, 3)]
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


# -- papers ----------------------------------------------------------------------------------------


def _papers() -> Iterator[Hostile]:
    for title, change in _ACTIVE.items():
        yield Hostile(f"a PDF with {title}", ACTIVE, partial(paper, change=change))
    hidden = partial(paper, change=_runs_first, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    yield Hostile("a PDF with JavaScript in an object stream", ACTIVE, hidden)
    yield Hostile("a PDF with JavaScript spelt otherwise", ACTIVE, _spelt)
    for name in ("setup.exe", "macro.docm", "inner.pdf", "x.html", "invoice.xml.exe"):
        yield Hostile(
            f"a PDF with {name} attached", DISGUISED, partial(paper, change=partial(_encloses, name))
        )
    for title, secret in (("a password", "1234"), ("an empty password", "")):
        lock = pikepdf.Encryption(user=secret, owner="owner")
        yield Hostile(f"a PDF locked with {title}", LOCKED, partial(paper, encryption=lock))
    yield Hostile("only the first bytes of a PDF", BROKEN, lambda: b"%PDF-1.7\n")
    yield Hostile("half a PDF", BROKEN, lambda: paper(3)[: len(paper(3)) // 2])
    yield Hostile("a PDF without its end", BROKEN, lambda: paper().replace(b"%%EOF", b""))
    yield Hostile("a PDF whose table points nowhere", BROKEN, _lost)
    yield Hostile("a PDF whose table points to itself", BROKEN, _circling)
    yield Hostile("a PDF without pages", BROKEN, partial(paper, 0))
    yield Hostile("a PDF whose pages hold themselves", BROKEN, partial(paper, change=_endless_pages))
    yield Hostile("a PDF with a ZIP behind it", DISGUISED, lambda: paper() + slipping())
    yield Hostile("a PDF with HTML behind it", DISGUISED, lambda: paper() + HTML)
    yield Hostile("a PDF that is a ZIP as well", DISGUISED, _both)
    yield Hostile("a PDF of 501 pages", HEAVY, partial(paper, 501))
    yield Hostile("a PDF whose objects unfold to a gigabyte", HEAVY, _unfolding)
    yield Hostile("a PDF with an abyss of lists", HEAVY, partial(paper, change=_abyss))
    yield Hostile(
        "a PDF with a virus", INFECTED, lambda: paper(change=_carries_virus, compress_streams=False)
    )


def _runs_first(pdf: Pdf) -> None:
    pdf.Root[Name.OpenAction] = pdf.make_indirect(script())


def _spelt() -> bytes:
    # As long as before, or the table of offsets would no longer be right.
    return paper(change=_runs_first).replace(b"/JavaScript", b"/J#61vaScript").replace(b"alert", b"ale")


def _runs_by_name(pdf: Pdf) -> None:
    pdf.Root[Name.Names] = Dictionary(JavaScript=Dictionary(Names=Array([String("x"), script()])))


def _runs_on_leaving(pdf: Pdf) -> None:
    pdf.pages[0].obj[Name.AA] = Dictionary(C=script())


def _acts(kind: str, **more: Any) -> Callable[[Pdf], None]:
    return lambda pdf: link(pdf, Dictionary(S=Name(kind), **more))


def _opens(address: str) -> Callable[[Pdf], None]:
    return _acts("/URI", URI=String(address))


def _dynamic_form(pdf: Pdf) -> None:
    pdf.Root[Name.AcroForm] = Dictionary(Fields=Array([]), XFA=pdf.make_stream(b"<xdp/>"))


def _rich(pdf: Pdf) -> None:
    note = Dictionary(
        Type=Name.Annot,
        Subtype=Name.RichMedia,
        Rect=Array([0, 0, 9, 9]),
        RichMediaContent=Dictionary(Assets=Dictionary()),
    )
    pdf.pages[0].obj[Name.Annots] = Array([pdf.make_indirect(note)])


def _elsewhere(pdf: Pdf) -> None:
    stream = pdf.make_stream(b"")
    stream[Name.F] = String("/etc/passwd")
    pdf.pages[0].obj[Name.Contents] = stream


_ACTIVE: dict[str, Callable[[Pdf], None]] = {
    "JavaScript when it opens": _runs_first,
    "JavaScript under a name": _runs_by_name,
    "JavaScript behind a link": lambda pdf: link(pdf, script()),
    "JavaScript when a page is left": _runs_on_leaving,
    "a program to start": _acts("/Launch", F=String("cmd.exe")),
    "a form to send": _acts("/SubmitForm", F=String("http://x")),
    "data to load": _acts("/ImportData", F=String("x.fdf")),
    "a film to play": _acts("/Rendition"),
    "a link into an attached file": _acts("/GoToE"),
    "a javascript: address": _opens("javascript:alert(1)"),
    "a data: address": _opens("data:text/html,x"),
    "a file: address": _opens("file:///etc/passwd"),
    "a Windows share": _opens("smb://x/y"),
    "a dynamic form": _dynamic_form,
    "rich media": _rich,
    "content in another file": _elsewhere,
}


def _encloses(name: str, pdf: Pdf) -> None:
    enclose(pdf, name, b"MZ")


def _lost() -> bytes:
    content = paper()
    place = content.rindex(b"startxref\n") + len(b"startxref\n")
    return content[:place] + b"999999\n%%EOF\n"


def _circling() -> bytes:
    content = paper()
    table = int(content[content.rindex(b"startxref\n") + 10 :].split(b"\n")[0])
    return content.replace(b"trailer <<", b"trailer << /Prev %d" % table)


def _endless_pages(pdf: Pdf) -> None:
    tree = pdf.Root[Name.Pages]
    tree[Name.Kids] = Array([tree])


def _both() -> bytes:
    packed, content = bytearray(slipping()), paper()
    # The last record of a ZIP may be followed by a comment: here the rest of the PDF.
    tail = b"\nendstream\nendobj\n" + content[content.index(b"\n") :]
    packed[-2:] = len(tail).to_bytes(2, "little")
    return b"%PDF-1.7\n1 0 obj\n<<>>\nstream\n" + bytes(packed) + tail


def _unfolding() -> bytes:
    """An object stream that unfolds a thousandfold, and again, when the file is merely opened."""
    inner = deflated(bytes(10_000_000), times=110)
    head = b"%PDF-1.7\n"
    objects = (
        b"1 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n" % len(inner)
        + inner
        + b"\nendstream\nendobj\n"
    )
    table = len(head) + len(objects)
    rows = b"\1" + len(head).to_bytes(4, "big") + b"\0" + b"\2\0\0\0\1\0"
    index = (
        b"2 0 obj\n<< /Type /XRef /Size 4 /Index [1 1 3 1] /W [1 4 1] /Root 3 0 R /Length %d >>\nstream\n"
        % len(rows)
        + rows
        + b"\nendstream\nendobj\n"
    )
    return head + objects + index + b"startxref\n%d\n%%%%EOF\n" % table


def _abyss(pdf: Pdf) -> None:
    inner = Array([])
    for _ in range(60):
        inner = Array([inner])
    pdf.Root[Name.PieceInfo] = Dictionary(X=inner)


def _carries_virus(pdf: Pdf) -> None:
    pdf.Root[Name.PieceInfo] = Stream(pdf, VIRUS)


# -- names -----------------------------------------------------------------------------------------


def _names() -> Iterator[Hostile]:
    for title, name in {
        "a way up": "../../etc/passwd.pdf",
        "a way up in Windows": "..\\..\\x.pdf",
        "a way up in percent signs": "%2e%2e%2fx.pdf",
        "a way up in percent signs of percent signs": "%252e%252e%252fx.pdf",
        "a way up in full width": "．．／x.pdf",
        "a place on a disk": "C:\\Windows\\x.pdf",
        "a folder": "a/b.pdf",
        "a point in front": ".htaccess.pdf",
        "a zero": "a\0.pdf",
        "a zero in percent signs": "a%00.pdf",
        "a device": "CON.pdf",
        "a device in small letters": "nul.jpg",
        "a device of a port": "com1.抄件.pdf",
        "letters from right to left": "执照\u202efdp.exe.pdf",
        "an isolated direction": "执照\u2067x.pdf",
        "a letter without width": "执\u200b照.pdf",
        "a new line": "a\r\nSet-Cookie: x=1.pdf",
        "a line separator": "a\u2028b.pdf",
        "300 letters": "照" * 296 + ".pdf",
        "two extensions": "执照.php.pdf",
        "two extensions of which one is a page": "执照.HTML.pdf",
        "nothing": "",
        "nothing but spaces": "   ",
    }.items():
        yield Hostile(f"a name with {title}", NAME, paper, name)
    for title, name in {
        "a program's extension": "执照.pdf.exe",
        "a stream of Windows": "执照.pdf:x.exe",
        "no extension": "执照",
        "a point at the end": "执照.pdf.",
        "an extension in another alphabet": "执照.рdf",
        "a page's extension": "执照.svg",
        "an archive's extension": "执照.zip",
        "a format that the programme does not take": "片段.mp4",
    }.items():
        yield Hostile(f"a name with {title}", RULES, paper, name)


CORPUS: tuple[Hostile, ...] = (*_pretending(), *_pictures(), *_papers(), *_names())
