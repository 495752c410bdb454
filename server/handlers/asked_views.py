"""What is asked of somebody, as the API shows it: fields and documents, of a form or of an order's step."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from server.handlers.api import Answer
from server.programme.papers import Document, DocumentForm, DocumentKind, FieldKind
from server.programme.papers import Field as AskedField
from server.programme.vocabulary import LegalForm


class AskedFieldView(Answer):
    """A field to fill in."""

    name: str = Field(description="What it is called. | 名称。")
    kind: FieldKind = Field(description="What it holds. | 类型。")
    required: bool = Field(description="Must be filled in. | 是否必填。")
    choices: list[str] = Field(description="The choices, for kind choice. | 可选项。")
    clause: str = Field(description="The provision. | 依据条款。")


class AskedDocumentView(Answer):
    """A document to hand in."""

    code: str = Field(description="Its code. | 材料代码。")
    name: str = Field(description="What it is called. | 名称。")
    kind: DocumentKind = Field(description="What it is evidence of. | 材料类别。")
    form: DocumentForm = Field(description="In which form. | 提交形式。")
    required: bool = Field(description="Must be there; of a group one is enough. | 是否必交，同组有一即可。")
    groups: list[str] = Field(description="Groups whose members stand in for each other. | 可互相替代的组。")
    minimum: int = Field(description="How many at least. | 至少份数。")
    maximum: int | None = Field(description="How many at most; null: no limit. | 至多份数，空为不限。")
    legal_forms: list[LegalForm] = Field(
        description="Asked of these only; empty: all. | 仅这些组织形式须交。"
    )
    clause: str = Field(description="The provision. | 依据条款。")


def asked_field(one: AskedField) -> dict[str, Any]:
    """The fields of :class:`AskedFieldView`."""
    return {
        "name": one.name,
        "kind": one.kind,
        "required": one.required,
        "choices": list(one.choices),
        "clause": one.article,
    }


def asked_document(one: Document) -> dict[str, Any]:
    """The fields of :class:`AskedDocumentView`."""
    return {
        "code": one.code,
        "name": one.name,
        "kind": one.kind,
        "form": one.form,
        "required": one.required,
        "groups": list(one.groups),
        "minimum": one.minimum,
        "maximum": one.maximum,
        "legal_forms": sorted(one.legal_forms),
        "clause": one.article,
    }
