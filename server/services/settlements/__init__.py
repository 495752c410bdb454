"""Settlements: a finished order becomes money that is owed to its provider (decision 0029).

Enter by ``settlement_drafts.py`` and ``settlements.py`` (handed in), ``settlement_evidence.py`` (what it
rests on), ``settlement_end.py`` (determined, payable, refused); ``settlement_book.py`` is what all of them
write through.
"""
