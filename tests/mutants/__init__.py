"""Bugs on purpose: each must be found by the tests that are aimed at it."""
