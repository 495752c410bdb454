"""Providers: what one may do at this instant, what is public of it, and how its service was rated.

Enter by ``provider_standing.py``, ``provider_pages.py``, ``ratings.py`` and ``suspensions.py`` (held at
once).
"""
