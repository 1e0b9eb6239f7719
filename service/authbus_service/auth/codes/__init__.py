"""Codes: secrets that are mailed, each good for one purpose, once, for a while."""
