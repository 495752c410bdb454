"""Public notices: what is put up for objection, who objected, and what came of it (decision 0031).

Enter by ``public_notices.py`` (drafted by one, published by another), ``objections.py``,
``review_notices.py`` (the clock); ``notice_desk.py`` puts them together.
"""
