"""Gradient boosting of our own over columns of bytes: trees from histograms, grown in numba, kept in flat arrays. The
engine `boosted` and rejection sampling are made of it; judges use another library's (``boosting.py``)."""
