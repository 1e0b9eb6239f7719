"""Bring a database that went back in time to where it was: what was decided is applied again."""
