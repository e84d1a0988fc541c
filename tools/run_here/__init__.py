"""Python in the reader's browser, so that a page of the site runs where it is read.

``parts`` makes Python's files (``make python``), ``page`` has the scripts of the page and of its
worker, and ``guest`` is what runs in Python there. ``_ext/run_here.py`` brings all into the site.
"""
