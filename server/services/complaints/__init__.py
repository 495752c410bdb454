"""Complaints: from a case that somebody files to a finding and what follows from it (decision 0027).

Enter by ``complaints.py`` (the complainant), ``complaint_desk.py`` and ``complaint_handling.py`` (the
official side), ``accusations.py`` (the accused side); ``complaint_book.py`` is what all of them write
through.
"""
