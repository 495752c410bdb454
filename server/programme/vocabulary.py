"""The words that more than one part of a programme uses. A new word is new behaviour in Python."""

from __future__ import annotations

from enum import StrEnum


class Party(StrEnum):
    """The two sides of a service."""

    ENTERPRISE = "enterprise"
    """The enterprise that is served."""
    PROVIDER = "provider"
    """The institution that serves."""


class Actor(StrEnum):
    """Who does something."""

    ENTERPRISE = "enterprise"
    PROVIDER = "provider"
    BOTH = "both"
    """Enterprise and provider together; neither alone is enough."""
    OPERATOR = "operator"
    """The programme operator: platform, undertaking unit, promotion centre."""
    AUTHORITY = "authority"
    """The competent authority."""
    DIVISION = "division"
    """The competent authority's division that prepares a decision."""
    DISTRICT = "district"
    """The competent departments below the authority."""
    TREASURY = "treasury"
    """The finance department."""
    INSPECTOR = "inspector"
    """A third-party inspector."""
    EXPERT = "expert"
    """The expert panel."""
    OVERSIGHT_BODY = "oversight_body"
    """A body above the authority, whose mailbox nobody below can read."""
    SYSTEM = "system"
    """The software by itself."""
    ANYONE = "anyone"
    """Any unit or person."""


class LegalForm(StrEnum):
    """The legal form of a party."""

    LEGAL_PERSON = "legal_person"
    """Independent legal person."""
    PUBLIC_INSTITUTION = "public_institution"
    """事业单位: gives a uniform receipt instead of a VAT invoice."""
    PARTNERSHIP = "partnership"
    INDIVIDUAL = "individual"
    """Individually-owned business."""


class SizeClass(StrEnum):
    """工信部联企业〔2011〕300号."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class ShareBase(StrEnum):
    """What a share of a category or provider is a share of."""

    YEAR_TOTAL = "year_total"
    """The year's planned total."""
    YEAR_ISSUED = "year_issued"
    """What has been issued in the year."""
