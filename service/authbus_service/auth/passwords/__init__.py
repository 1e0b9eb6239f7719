"""Passwords: the rules for a new one."""
