"""Sessions: log-ins, their tokens and their end."""
