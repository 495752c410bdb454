"""Word documents: whatever is written into one comes out again, and it is a package that opens."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

from server.services.documents.word_documents import Row, document

TEXT = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t"


def texts_in(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        for name in package.namelist():
            ElementTree.fromstring(package.read(name))
        tree = ElementTree.fromstring(package.read("word/document.xml"))
    return [one.text or "" for one in tree.iter(TEXT)]


def test_title_table_and_paragraphs_stand_in_their_order() -> None:
    content = document("声明函", [Row("企业名称", "<甲>&乙"), Row("日期")], ["第一条", "第二条"])
    assert texts_in(content) == ["声明函", "企业名称", "<甲>&乙", "日期", "", "第一条", "第二条"]


def test_the_same_content_gives_the_same_bytes() -> None:
    assert document("甲", [], ["乙"]) == document("甲", [], ["乙"])
    assert document("甲", [], ["乙"]) != document("甲", [], ["丙"])
