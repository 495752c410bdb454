"""Reviews: one engine for everything that is reviewed (decision 0012), with its draws (decision 0030).

Enter by ``reviews.py`` (deciding), ``review_inbox.py`` (finding), ``reviewed.py`` (what a kind of subject
brings), ``sampling_draws.py`` (a spot check's draw).
"""
