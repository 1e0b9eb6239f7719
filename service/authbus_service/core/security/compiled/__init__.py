"""Argon2id compiled for the processor at hand, from libargon2's own source: opt-in."""
