"""The service: consumers -> inbox -> auth (users, sessions, passwords) -> outbox -> relay."""
