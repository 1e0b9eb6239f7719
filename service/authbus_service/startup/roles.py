"""Which roles are declared, and whether an access token has room for all of them."""

import secrets
from collections.abc import Callable, Mapping

from authbus.message import LONGEST_SECRET
from authbus_service.auth.commands.complete_log_in import AMR
from authbus_service.auth.granting import Granting
from authbus_service.auth.outcome import Granted
from authbus_service.auth.roles.declaring import read_roles
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.core import clock
from authbus_service.core.clients import Client
from authbus_service.core.config import ConfigError, Settings
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters

_KEY_BYTES = 32


def declared_roles(settings: Settings, clients: Mapping[str, Client]) -> Roles:
    """The roles of the file. A user may hold all of them, and log in at any of these clients.

    Raises ConfigError for a wrong file, and where no reply could hold such a user's token.
    """
    roles, issuer = read_roles(settings.roles), settings.issuer
    length = _longest(issuer)
    client = max(clients.values(), key=lambda each: length(each, roles))
    longest = length(client, roles)
    surplus = longest - LONGEST_SECRET
    if surplus <= 0:
        return roles
    if length(client, BUILT_IN) <= LONGEST_SECRET:
        raise ConfigError(
            f"AUTHBUS_ROLES: {settings.roles}: with every role an access token for the client "
            f"{client.id} is {longest} characters long, {surplus} too many. "
            "Declare fewer or shorter permissions and roles, or audiences for this client"
        )
    if length(Client(id=client.id), BUILT_IN) <= LONGEST_SECRET:
        raise ConfigError(
            f"AUTHBUS_CLIENTS: {settings.clients}: an access token for the client {client.id} is "
            f"{longest} characters long, {surplus} too many. "
            "Declare fewer or shorter audiences for it"
        )
    raise ConfigError(
        f"AUTHBUS_ISSUER: an access token with it is {longest} characters long, {surplus} too many."
        " Take a shorter one"
    )


def _longest(issuer: str) -> Callable[[Client, Roles], int]:
    """Tells the length of the longest access token for a client: it is made as any other."""
    masters, at = Masters([secrets.token_bytes(_KEY_BYTES)]), clock.now()
    ring = KeyRing(masters)
    ring.load(first_keys(at, masters))
    granting, id_ = Granting(issuer, ring.sign), new_id()

    def length(client: Client, roles: Roles) -> int:
        granted = Granted(
            user_id=id_,
            session_id=id_,
            amr=AMR,
            roles=tuple(roles.declared),
            permissions=roles.in_tokens(roles.declared),
            auth_time=at,
            issued_at=at,
            access_token_expires_at=at,
            session_expires_at=at,
        )
        return len(granting.token(granted, client, id_))

    return length
