"""Exports: long lists, asked for, made page by page by whoever is free, and fetched (decision 0036).

Enter by ``exports.py``; a part of the house offers a list of its own with ``exports.serve``.
"""
