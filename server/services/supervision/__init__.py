"""Supervision: inspections, call-backs, anomalies, audits and evaluations (decision 0034).

Enter by ``inspections.py``, ``call_backs.py``, ``anomalies.py`` and ``fund_audits.py``;
``supervision_office.py`` puts them together.
"""
