"""What is shown of a file that was taken: its pages, and nothing else that it carried."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String
from PIL import Image, ImageChops, ImageFilter, ImageStat

from server.programme.papers import DocumentKind
from server.services.files.files import hints_of
from server.services.files.uploads import Announced
from tests.hostile.reception import Reception
from tests.hostile.seeds import (
    PLACE,
    chunk,
    deflated,
    drawing,
    enclose,
    film,
    link,
    located_photo,
    noise,
    page,
    paper,
    photo,
)

FIVE_MB = 5 * 1024 * 1024


async def shown(reception: Reception, content: bytes, name: str, **options: object) -> bytes:
    """The copy that may be shown; the original stays as it came."""
    file = await reception.send(content, name, **options)  # type: ignore[arg-type]
    assert await reception.evidence.read(file.original_id) == content
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    return await reception.evidence.read(file.shown_id)


async def test_a_photo_is_shown_upright_without_place_and_telephone(reception: Reception) -> None:
    content = located_photo()
    copy = await shown(reception, content, "照片.jpg")
    assert b"QIQUAN-MAKER" in content
    assert b"QIQUAN" not in copy
    with Image.open(BytesIO(copy)) as picture, Image.open(BytesIO(content)) as original:
        assert not picture.getexif()
        assert picture.size == original.size[::-1]


async def test_a_photo_with_more_pictures_behind_it_is_taken_and_shown_without_them(
    reception: Reception,
) -> None:
    """As telephones append them."""
    copy = await shown(reception, photo() + photo(page(64, 64)) + b"SEFT" + bytes(40), "照片.jpg")
    assert copy.count(b"\xff\xd8\xff") == 1


async def test_a_drawing_is_shown_on_white_without_its_words(reception: Reception) -> None:
    clear = Image.new("RGBA", (900, 900), (0, 0, 0, 0))
    content, end = drawing(clear), chunk(b"IEND", b"")
    copy = await shown(reception, content[: -len(end)] + chunk(b"tEXt", b"Author\0QIQUAN") + end, "图.png")
    with Image.open(BytesIO(copy)) as picture:
        assert (picture.format, picture.getpixel((5, 5))) == ("JPEG", (255, 255, 255))
    assert b"QIQUAN" not in copy


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "RGBA"])
async def test_a_png_of_every_kind_is_shown(reception: Reception, mode: str) -> None:
    sheet = page(300, 400)
    picture = sheet.convert("L").convert("I;16") if mode == "I;16" else sheet.convert(mode)
    with Image.open(BytesIO(await shown(reception, drawing(picture), "图.png"))) as copy:
        assert copy.size == (300, 400)


async def test_a_large_photo_is_shown_smaller(reception: Reception) -> None:
    copy = await shown(reception, photo(page(4_000, 3_000)), "照片.jpg")
    with Image.open(BytesIO(copy)) as picture:
        assert max(picture.size) == 2_400


def _carry_everything(pdf: Pdf) -> None:
    """What honest documents carry, and what nobody needs who looks at them."""
    pdf.Root[Name.OpenAction] = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]))
    pdf.Root[Name.Outlines] = Dictionary(Type=Name.Outlines, Count=0)
    pdf.docinfo[Name.Author] = String("QIQUAN-AUTHOR")
    enclose(pdf, "invoice.xml", b"<QIQUAN/>")
    link(pdf, Dictionary(S=Name.URI, URI=String("https://example.org/QIQUAN")))
    seal = pdf.make_stream(b"0 1 0 rg 0 0 99 99 re f")
    seal.Type, seal.Subtype, seal.BBox = Name.XObject, Name.Form, Array([0, 0, 99, 99])
    field = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        FT=Name.Sig,
        T=String("seal"),
        Rect=Array([100, 100, 199, 199]),
        F=4,
        AP=Dictionary(N=seal),
    )
    field = pdf.make_indirect(field)
    pdf.pages[0].obj[Name.Annots].append(field)
    pdf.Root[Name.AcroForm] = Dictionary(Fields=Array([field]), SigFlags=3)


async def test_a_paper_is_shown_as_its_pages_alone(reception: Reception) -> None:
    content = paper(2, change=_carry_everything)
    copy = await shown(reception, content, "合同.pdf")
    with Pdf.open(BytesIO(copy)) as pdf:
        assert len(pdf.pages) == 2
        assert set(pdf.Root.keys()) == {"/Type", "/Pages"}
        assert not pdf.docinfo
        assert "/Annots" not in pdf.pages[0]
        written = [thing for thing in pdf.objects if isinstance(thing, pikepdf.Stream)]
        assert not [one for one in written if b"QIQUAN" in one.read_bytes()]
    assert b"QIQUAN" not in copy


async def test_an_electronic_seal_is_still_seen(reception: Reception) -> None:
    with Pdf.open(BytesIO(await shown(reception, paper(change=_carry_everything), "合同.pdf"))) as pdf:
        forms = pdf.pages[0].obj.Resources.XObject
        assert any(b"0 1 0 rg" in form.read_bytes() for form in forms.values())


async def test_a_stream_that_unfolds_a_thousandfold_is_never_unfolded(reception: Reception) -> None:
    def inflate(pdf: Pdf) -> None:
        bomb = pdf.make_stream(b"")
        bomb.write(deflated(bytes(1_000_000), times=200), filter=Name.FlateDecode)
        pdf.pages[0].obj[Name.Contents] = bomb

    # Its 200 MB would break the lab's limit on memory if anything looked inside.
    copy = await shown(reception, paper(change=inflate), "图纸.pdf")
    assert len(copy) < 500_000


async def test_a_film_is_shown_without_its_place(reception: Reception) -> None:
    content = film(place=True)
    copy = await shown(reception, content, "节点.mp4", programme="guangxi-2024")
    assert PLACE in content
    assert PLACE not in copy
    assert len(copy) == len(content)


@pytest.mark.parametrize("kind", [DocumentKind.IDENTITY, DocumentKind.LICENCE])
async def test_the_purpose_is_written_over_identity_papers(reception: Reception, kind: DocumentKind) -> None:
    blank = photo(Image.new("RGB", (1_000, 1_400), (255, 255, 255)))
    plain = await shown(reception, blank, "证件.jpg")
    stamped = await shown(reception, blank, "证件.jpg", kind=kind)
    with Image.open(BytesIO(plain)) as white, Image.open(BytesIO(stamped)) as written:
        assert ImageStat.Stat(white.convert("L")).extrema[0][0] > 250
        marks = ImageChops.invert(written.convert("L")).point(lambda value: 255 if value > 30 else 0)
        # In each quarter: nobody cuts it off.
        for left, top in ((0, 0), (500, 0), (0, 700), (500, 700)):
            assert ImageStat.Stat(marks.crop((left, top, left + 500, top + 700))).mean[0] > 3


async def test_the_purpose_is_written_over_every_page_of_an_identity_paper(reception: Reception) -> None:
    copy = await shown(reception, paper(3), "执照.pdf", kind=DocumentKind.LICENCE)
    with Pdf.open(BytesIO(copy)) as pdf:
        for sheet in pdf.pages:
            (name, stamp), *others = sheet.obj.Resources.XObject.items()
            assert not others
            assert f"{name} Do".encode() in b"".join(one.read_bytes() for one in sheet.obj.Contents)
            assert max(stamp.SMask.read_bytes()) > 50


async def test_the_same_purpose_on_another_day_is_another_copy_of_the_same_original(
    reception: Reception,
) -> None:
    first = await reception.send(photo(), "证件.jpg", kind=DocumentKind.IDENTITY)
    reception.clock.advance(timedelta(days=1))
    second = await reception.send(photo(), "证件.jpg", kind=DocumentKind.IDENTITY)
    assert first.original_id == second.original_id
    assert first.shown_id != second.shown_id


@pytest.mark.rules("GZ-77")
@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (page(1_200, 1_600), set()),
        (page(300, 400), {"small"}),
        (page(1_200, 1_600).convert("L").convert("RGB"), {"grey"}),
        (page(1_200, 1_600).filter(ImageFilter.GaussianBlur(12)), {"blurred"}),
        (page(1_200, 1_600).point(lambda value: value // 6), {"dark"}),
    ],
    ids=["good", "small", "grey", "blurred", "dark"],
)
async def test_a_photo_that_a_reviewer_would_send_back_is_taken_with_a_warning(
    reception: Reception, picture: Image.Image, expected: set[str]
) -> None:
    file = await reception.send(photo(picture), "照片.jpg")
    found = {hint.code for hint in hints_of(file)}
    # That a scan is better than any photo, the programme says of all of them.
    assert expected <= found - {"scan_preferred"} <= expected | {"dark", "blurred"}
    assert all(hint.message for hint in hints_of(file))


@pytest.mark.rules("GZ-77")
async def test_only_a_programme_that_asks_for_colour_and_scans_warns_of_them(reception: Reception) -> None:
    grey = photo(page().convert("L").convert("RGB"))
    asked = await reception.send(grey, "照片.jpg")
    not_asked = await reception.send(grey, "照片.jpg", programme="lishui-2024")
    scanned = await reception.send(paper(), "扫描.pdf")
    assert set(asked.hints) == {"grey", "scan_preferred"}
    assert not_asked.hints == scanned.hints == []


@pytest.mark.rules("GZ-78")
@pytest.mark.parametrize("size", [FIVE_MB - 1, FIVE_MB])
async def test_five_megabytes_are_taken(reception: Reception, size: int) -> None:
    assert (await reception.send(paper(padded_to=size), "合同.pdf")).size_bytes == size


async def test_each_photo_of_a_merged_paper_is_a_page_in_the_given_order(reception: Reception) -> None:
    colours = [(250, 20, 20), (20, 250, 20), (20, 20, 250)]
    photos = [await reception.send(photo(Image.new("RGB", (900, 1_200), one)), "页.jpg") for one in colours]
    sheet = await reception.send(paper(2), "附页.pdf")
    order = [photos[2], sheet, photos[0], photos[1]]
    merged = await reception.uploads.merge(announce("合同.pdf"), order, actor=reception.actor)
    with Pdf.open(BytesIO(await reception.evidence.read(merged.original_id))) as pdf:
        seen = [_colour(one) for one in pdf.pages]
    assert seen == [colours[2], None, None, colours[0], colours[1]]
    assert (merged.pages, merged.media_type) == (5, "application/pdf")
    assert merged.merged_from == [one.id for one in order]


@pytest.mark.rules("GZ-76", "GZ-78")
async def test_a_merged_paper_keeps_the_size_limit_and_says_that_it_was_made_smaller(
    reception: Reception,
) -> None:
    photos = [await reception.send(noise(1_700, 1_700, seed), "页.jpg") for seed in (3, 4, 5)]
    assert sum(one.size_bytes for one in photos) > FIVE_MB
    merged = await reception.uploads.merge(announce("合同.pdf"), photos, actor=reception.actor)
    assert merged.size_bytes <= FIVE_MB
    assert [hint.code for hint in hints_of(merged)] == ["downscaled"]


def announce(name: str) -> Announced:
    """A paper that is to be put together."""
    return Announced(name=name, size_bytes=1, programme="guangzhou-2020", kind=DocumentKind.CONTRACT)


def _colour(sheet: pikepdf.Page) -> tuple[int, int, int] | None:
    """The colour of the one picture of a page, as it was sent, or ``None`` for a page without one."""
    for image in sheet.get_images().values():
        red, green, blue = ImageStat.Stat(pikepdf.PdfImage(image).as_pil_image()).mean
        return tuple(250 if part > 128 else 20 for part in (red, green, blue))  # type: ignore[return-value]
    return None
