"""Admissions: from a form to a standing in a programme, for enterprises and providers (decision 0017).

Enter by ``onboarding.py`` (an organisation registers), ``drafts.py`` and ``registrations.py`` (its form),
``admissions.py`` (what the review of it ends with), ``qualifications.py`` and ``standings.py`` (what it may
do now), ``labels.py`` and ``attestations.py`` (what official lists say of it, decision 0015).
"""
