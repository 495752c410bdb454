"""Vouchers: how one comes to be where nobody grabs, what it pays, how it ends (decisions 0011 and 0016).

Enter by ``issuing.py`` (the one way), ``allotments.py``, ``applications.py`` and ``ranked.py``,
``vouchers.py`` (ends), ``order_purse.py`` (what one would pay on an order).
"""
