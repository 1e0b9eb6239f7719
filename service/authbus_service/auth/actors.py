"""The `actor` of an event or an audit record: who did it."""

from uuid import UUID

SERVICE = "service"
OPERATOR = "operator"


def user(user_id: UUID) -> str:
    """A user, for themselves."""
    return f"user:{user_id}"


def admin(user_id: UUID) -> str:
    """A user with a role that permits it."""
    return f"admin:{user_id}"
