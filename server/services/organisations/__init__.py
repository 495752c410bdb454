"""Organisations: who acts for one, and what is on record of it (decision 0009).

Enter by ``memberships.py``; ``service_files.py`` is what is known of a provider's service, line by line.
"""
