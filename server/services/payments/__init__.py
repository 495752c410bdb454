"""Payments: what an enterprise pays of its order itself, and the papers that prove it (decision 0019).

Enter by ``own_payments.py`` (through the gateway), ``paying_steps.py`` (as a step of an order),
``escrows.py`` (held by the operator), ``invoices.py`` (counted once).
"""
