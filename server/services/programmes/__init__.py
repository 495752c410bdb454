"""Programmes: what is done with a regulation itself. Trials of a changed file, its faults, whom to ask.

Enter by ``policy_trials.py`` and ``offices.py``.
"""
