"""Orders: one engine for every programme's order of events (decision 0024), and its kinds of steps.

Enter by ``order_opening.py`` (one begins), ``orders.py`` (a step is done), ``order_ends.py`` (it ends before
it is done), ``order_works.py`` (which step has which work), ``order_money.py`` (what its vouchers hold and
spend), ``voucher_requests.py`` (vouchers that are asked for on its contract, decision 0013).
"""
