"""Disbursements: from a payable settlement to the bank's word and the closed archive (decision 0032).

Enter by ``payment_batches.py`` (drawn up and approved), ``batch_sending.py`` (the bank's file),
``payment_receipts.py`` and ``bank_words.py`` (what the bank did), ``year_end.py`` and ``archives.py`` (what
comes after).
"""
