"""Imports: official lists, looked at first and taken in as they were looked at (decision 0015).

Enter by ``imports.py``; ``import_kinds.py`` knows what each kind of list does.
"""
