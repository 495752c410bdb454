"""Tables: what people send as XLSX or CSV, read without trusting it, and tables sent back.

Enter by ``sheets.py`` and ``import_table.py``.
"""
