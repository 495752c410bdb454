"""Holds: what keeps an order from being settled, or money from being paid, while something is undecided.

Enter by ``payment_holds.py`` (sanctions, anomalies, inspections) and ``order_holds.py`` (complaints).
"""
