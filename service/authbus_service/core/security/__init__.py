"""Secrets and what is made of them: master keys, key ring, password hashes, tokens."""
