"""The rules of a user: what makes one, and when a proof still holds for one."""

from datetime import datetime
from uuid import UUID

from authbus.addresses import canonical
from authbus.events import (
    EmailChanged,
    PasswordChanged,
    PasswordResetForced,
    ProfileUpdated,
    RoleGranted,
    RoleRevoked,
    UserCreated,
    UserDeactivated,
    UserErased,
    UserLocked,
    UserReactivated,
    UserUnlocked,
)
from authbus.message import Event
from authbus.profile import Profile
from authbus.state import UserState, UserStatus
from authbus_service.auth.outcome import Gone
from authbus_service.auth.private import Private
from authbus_service.auth.users import devices
from authbus_service.auth.users.rows import Users
from authbus_service.auth.users.user import FIRST_VERSION, Credential, ErasedUser, User


def holds(proof: Credential | None, user: User | None) -> bool:
    """Whether a password that was verified before the lock is still this user's, under the lock."""
    return (
        proof is not None
        and user is not None
        and user.is_active
        and proof.version == user.credential_version
    )


def created(event: UserCreated, private: Private, users: Users, at: datetime) -> UserState:
    """Apply UserCreated: the row is there; returns the public state that follows."""
    user = User(
        id=event.user_id,
        sequence=event.sequence,
        status=UserStatus.ACTIVE,
        password_hash=private.password_hash,
        credential_version=FIRST_VERSION,
        created_at=at,
        email=private.address,
        profile=Profile(**private.profile),
    )
    users.add(user)
    users.take(private.canonical)
    return state(user)


def deactivated(event: UserDeactivated, users: Users) -> UserState:
    """Apply UserDeactivated: nobody logs in; the events that end its sessions come behind it."""
    user = users.touch(event.user_id)
    user.status = UserStatus.DEACTIVATED
    return state(user)


def reactivated(event: UserReactivated, users: Users) -> UserState:
    """Apply UserReactivated: it may log in again."""
    user = users.touch(event.user_id)
    user.status = UserStatus.ACTIVE
    return state(user)


def profile_updated(event: ProfileUpdated, private: Private, users: Users) -> UserState:
    """Apply ProfileUpdated: the changed fields have their new values."""
    user = users.touch_profile(event.user_id)
    changes = {**private.profile, "version": event.profile_version}
    user.profile = user.profile.model_copy(update=changes)
    return state(user)


def role_granted(event: RoleGranted, users: Users) -> UserState:
    """Apply RoleGranted: tokens made from now on carry it."""
    user = users.touch(event.user_id)
    user.roles = tuple(sorted({*user.roles, event.role}))
    return state(user)


def role_revoked(event: RoleRevoked, users: Users) -> UserState:
    """Apply RoleRevoked: no token made from now on carries it."""
    user = users.touch(event.user_id)
    user.roles = tuple(role for role in user.roles if role != event.role)
    return state(user)


def erased(event: UserErased, users: Users, at: datetime) -> Gone:
    """Apply UserErased: the user is gone, and so is their public state."""
    users.erase(ErasedUser(event.user_id, event.sequence, at))
    return Gone(event.user_id)


def state(user: User) -> UserState:
    """What others may know of a user, as it is now."""
    return UserState(
        user_id=user.id,
        sequence=user.sequence,
        kind=user.kind,
        email=user.email or None,
        email_verified=user.email_verified,
        status=UserStatus(user.status),
        roles=user.roles,
        profile=user.profile,
    )


def restored(found: UserState, users: Users) -> None:
    """What everybody may know of a user is as it was said, whatever has been lost meanwhile."""
    user = users.touch_profile(found.user_id)
    user.email, user.email_verified = found.email or "", found.email_verified
    user.status, user.roles = found.status, tuple(sorted(found.roles))
    user.profile = found.profile


def moved(event: EmailChanged, address: str, users: Users) -> UserState:
    """Apply EmailChanged: the address that was claimed takes the place of the old one."""
    user = users.touch(event.user_id)
    users.leave(canonical(user.email) or "")
    users.take(canonical(address) or "")
    user.email, user.email_verified = address, True
    return state(user)


def logged_in(user_id: UUID, private: Private, users: Users) -> None:
    """A session started: its device is known, and its password's hash may be a new one.

    That is the same password under today's parameters: its version stays.
    """
    user = users.touch(user_id)
    if private.password_hash:
        user.password_hash = private.password_hash
    if private.device_hash:
        user.devices = devices.seen(user.devices, private.device_hash)


def locked(event: UserLocked, users: Users) -> None:
    """Apply UserLocked."""
    users.touch(event.user_id).locked_until = event.until


def unlocked(event: UserUnlocked, users: Users) -> None:
    """Apply UserUnlocked."""
    users.touch(event.user_id).locked_until = None


def password_changed(event: PasswordChanged, private: Private, users: Users) -> None:
    """Apply PasswordChanged: whatever was proven with the old password is void."""
    _renewed(event, private.password_hash, users)


def second_factor(user_id: UUID, users: Users, *, enabled: bool) -> None:
    """Log-ins need one from now on, or need none."""
    users.touch(user_id).second_factor = enabled


def password_voided(event: PasswordResetForced, users: Users) -> None:
    """Apply PasswordResetForced: no password is right, and what was proven with the old is void."""
    _renewed(event, "", users)


def _renewed(event: Event, password_hash: str, users: Users) -> None:
    """Devices became known by the old password: some may be those of whoever else had it."""
    user = users.touch(event.user_id)
    user.password_hash = password_hash
    user.credential_version += 1
    user.devices = b""


def follows(event: Event, users: Users) -> None:
    """Every event but the first moves its user's sequence on by one."""
    user = users.touch(event.user_id)
    if event.sequence != user.sequence + 1:
        raise ValueError(f"event {event.sequence} does not follow {user.sequence}")
    user.sequence = event.sequence
