"""Data protection: personal data that stands sealed in rows, and the keys it is sealed with.

Enter by ``resealing.py`` (sealed anew with a new key).
"""
