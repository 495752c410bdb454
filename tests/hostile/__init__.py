"""Hostile files: what strangers may send, made by code, and what must become of each."""
