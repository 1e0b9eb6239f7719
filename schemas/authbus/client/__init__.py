"""AuthClient: commands as awaitable calls."""

from authbus.client.auth_client import AuthClient
from authbus.client.results import Session, User

__all__ = ["AuthClient", "Session", "User"]
