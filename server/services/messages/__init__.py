"""Messages: from the outbox to the inbox and to somebody's phone (decision 0028), and before a deadline.

Enter by ``deliveries.py`` (sent at least once), ``reachable.py`` (by what), ``reminders.py`` and
``escalations.py``.
"""
