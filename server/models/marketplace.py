"""The marketplace: one derived row for each offering that can be ordered, made to be searched and sorted.

Nothing here is a source of anything: ``services/marketplace/listings.py`` writes it anew from the offering,
its provider, its ratings and its orders. What the full-text index holds of it is ``listing_terms``
(``migrations/0002_guards.py``), so that a sale leaves that index alone.
"""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt

NO_PRICE_FEN = 2**53 - 1
"""Where an offering without a price stands among prices: behind all. Exact in a JavaScript number."""


class Listing(Model):
    """An offering as the marketplace shows and sorts it. ``title``, ``body``, ``spelled`` are folded."""

    offering_id = fields.BigIntField(primary_key=True, generated=False)
    version_id = fields.BigIntField()
    programme_slug = fields.CharField(64)
    category_key = fields.CharField(130, description="programme/category: codes repeat among programmes")
    service = fields.CharField(200, default="")
    areas = fields.TextField(description="|path/|path/|, empty: anywhere")
    provider_id = fields.BigIntField(db_index=True)
    provider_name = fields.CharField(200)
    name = fields.CharField(200)
    price_from_fen: int | None = fields.BigIntField(null=True)
    price_to_fen: int | None = fields.BigIntField(null=True)
    price_rank = CheckedBigInt(check="price_rank > 0", description="price_from_fen, without one the last")
    listed_ms = fields.BigIntField(description="When it was first listed, Unix ms")
    sales = fields.BigIntField(default=0, description="Orders that are done")
    votes = fields.BigIntField(default=0)
    points_bp = fields.BigIntField(default=0, description="The sum of all ratings, each 0 to 10000")
    score_bp = fields.BigIntField(description="With enough votes behind it")
    quality = fields.BigIntField(description="Score, among equals sales")
    title = fields.TextField()
    body = fields.TextField()
    spelled = fields.TextField()

    class Meta:
        table = "listing"
        # That of quality stands in migrations/0002_guards.py: it holds the titles too.
        indexes = (
            ("sales", "offering_id"),
            ("score_bp", "offering_id"),
            ("price_rank", "offering_id"),
            ("listed_ms", "offering_id"),
        )
