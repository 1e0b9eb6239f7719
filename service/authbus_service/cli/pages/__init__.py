"""Makers of the pages that `authbus spec` writes from the code."""
