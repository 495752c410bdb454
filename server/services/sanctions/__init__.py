"""Sanctions: from a proposal on a ground of the text to what it does, and money back (decision 0033).

Enter by ``sanctions.py``, ``sanction_decisions.py``, ``sanction_effects.py`` and ``recoveries.py``;
``sanction_office.py`` puts them together.
"""
