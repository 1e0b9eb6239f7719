"""Guesses: how many wrong passwords an account or a source may try, and how fast."""
