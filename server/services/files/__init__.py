"""Files: what people hand in, from its first part to evidence that nobody changes (decision 0018).

Enter by ``uploads.py`` (on its way), ``file_intake.py`` (looked into), ``files.py`` (taken, and who may see
it).
"""
