"""Budgets: a programme year, its notice, its money and its limits, and the ledger of every movement.

Enter by ``ledger.py`` (decision 0004: the one way money is posted), ``budgets.py`` (a year's money),
``annual_notices.py`` (its terms), ``rooms.py`` (what its ceilings leave).
"""
