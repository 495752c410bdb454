"""Accounts: who somebody is. People and staff, signing in on a device, tokens, the second factor.

Enter by ``sessions.py`` (people), ``staff_sign_in.py`` (the official side), ``identities.py`` (whose token
this is).
"""
