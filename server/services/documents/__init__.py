"""Documents: papers of our own, made, signed on the platform and kept as evidence (decision 0022).

Enter by ``documents.py`` (what both sides sign) and ``printed_papers.py`` (what the press made).
"""
