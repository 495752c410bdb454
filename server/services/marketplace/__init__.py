"""The marketplace: what providers offer, how enterprises find it, and what they look for.

Enter by ``offerings.py`` and ``offering_drafts.py`` (decision 0021), ``listings.py`` and ``marketplace.py``
(decision 0020), ``shop_window.py`` (what a voucher would pay), ``enquiries.py`` (what an enterprise needs).
"""
