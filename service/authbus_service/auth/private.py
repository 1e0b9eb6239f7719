"""The private part of an event: what its command adds and nobody is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authbus_service.auth.factors.factor import Passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """What stays in the database: it goes to `apply` beside the event and is never published."""

    address: str = field(default="", repr=False)
    canonical: str = field(default="", repr=False)
    password_hash: str = field(default="", repr=False)
    family_hash: bytes = field(default=b"", repr=False)
    refresh_hash: bytes = field(default=b"", repr=False)
    code_hash: bytes = field(default=b"", repr=False)
    profile: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    device: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)
    device_hash: bytes = field(default=b"", repr=False)
    totp_secret: bytes = field(default=b"", repr=False)
    passed: Passed = field(default_factory=Passed)
    recovery_codes: bytes = field(default=b"", repr=False)


NOTHING = Private()
