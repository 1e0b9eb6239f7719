"""An authbus in memory, for the tests of those who use one: no Kafka, no service, no waiting.

Its clients, streams and verifiers are AuthClient, EventStream and Verifier, with the same calls,
errors, codes and events, for every command; one set of tests holds both to that. It does not judge
which languages and time zones exist or the age of a new command's id, and knows few of the common
passwords. The packages `argon2-cffi` and `bcrypt` are needed by a
log-in with a hash of theirs that was imported, and by nothing else.
"""

from authbus.testing.fake import FakeAuthbus
from authbus.testing.rows import Mail
from authbus.testing.settings import Settings

__all__ = ["FakeAuthbus", "Mail", "Settings"]
