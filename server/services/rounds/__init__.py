"""Rounds: vouchers for whoever arrives first, from the schedule to the commit (decisions 0002 and 0003).

Enter by ``rounds.py`` (plan, open, pause, close), ``grabs.py`` and ``grab_commit.py`` (the minute itself),
``launch.py`` (what a process knows of Redis), ``entitlements.py`` (who may be granted how much).
"""
