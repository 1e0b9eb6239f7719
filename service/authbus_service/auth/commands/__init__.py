"""A module for each command: `prepare` finds out, `decide` decides. The table is in handlers.py."""
