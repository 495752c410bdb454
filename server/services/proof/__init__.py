"""Proof: the sealed journal, and everything about one case in a file that checks itself (decision 0035).

Enter by ``journal_seals.py``, ``journal_verification.py`` and ``audit_packs.py``.
"""
