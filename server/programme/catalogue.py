"""What may be bought: categories with their shares, offerings, enquiries."""

from __future__ import annotations

from dataclasses import dataclass

from server.programme.clause import Clause
from server.programme.papers import Document, Field
from server.programme.people import Condition
from server.programme.vocabulary import ShareBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Category(Clause):
    """A kind of service a voucher may pay for."""

    code: str
    """Stable code."""
    name: str
    """What it is called in the text."""
    covers: tuple[str, ...]
    """What the text counts in."""
    excludes: tuple[str, ...] = ()
    """What the text counts out; such an offering is turned down."""
    by_notice: bool = False
    """What it counts in is the yearly notice's alone; without one nothing is bought in it."""
    synonyms: tuple[str, ...] = ()
    """What else people call it who look for it; for the search alone."""
    max_share_bp: int | None = None
    """Its ceiling as a share of `share_of`; absent: none."""
    share_of: ShareBase = ShareBase.YEAR_TOTAL
    """What the ceiling is a share of."""
    conditions: tuple[Condition, ...] = ()
    """What the enterprise must be to buy in this category, besides the general conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFloor(Clause):
    """Several categories that together must reach a share (LS-26)."""

    categories: tuple[str, ...]
    """Their codes."""
    min_share_bp: int
    """The least share of `share_of`."""
    share_of: ShareBase
    """What it is a share of."""
    others_max_share_bp: int | None = None
    """How the floor is kept: all other categories together take at most this share of the year's total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingRules(Clause):
    """What it takes to publish an offering."""

    standard_products: bool = False
    """Only selected standard products of the yearly catalogue; a contract names one of them."""
    base_conditions: tuple[str, ...] = ()
    """What an offering must be, in the text's words."""
    fields: tuple[Field, ...]
    """What must be stated."""
    documents: tuple[Document, ...] = ()
    """What must be handed in."""
    name_field: str = ""
    """Which field is the offering's name; absent: the name is asked besides."""
    price_field: str = ""
    """Which field is the price, of kind `money`; absent: a price may be stated, and need not."""
    area_field: str = ""
    """Which field is where it is served; absent: areas may be named, and need not."""
    area_levels: int = 1
    """How many levels of a path an area names at least: 2 is down to the city."""
    category_field: str = ""
    """Which field is the category; its choices are the categories' names."""
    price_range_itemised: bool = False
    """A price range lists the content for each price."""
    price_comparisons: int | None = None
    """How many similar products on the market the price is compared with, at least."""
    price_at_most_catalogue: bool = False
    """A negotiated price stays at or below the catalogue's."""
    selections_per_year_min: int | None = None
    """How often a year offerings are selected, at least; absent: all year round."""
    selections_per_year_max: int | None = None
    """… and at most."""
    performance_public: bool = False
    """How a provider performs its contracts is shown to everybody as it happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquiryRules(Clause):
    """Enterprises publish what they need (GX-50)."""

    fields: tuple[Field, ...]
    """What may be stated."""
    reviewed: bool
    """Shown only after review."""
    shown_live: bool
    """Shown as it comes, rolling."""
