"""Permissions that the service itself asks for, each `resource:action`."""

from enum import StrEnum


class Permission(StrEnum):
    """What an administrator may do here. Roles may name any others, for modules downstream."""

    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    USERS_IMPORT = "users:import"
    USERS_EXPORT = "users:export"
    USERS_ERASE = "users:erase"
    ROLES_GRANT = "roles:grant"
    ROLES_GRANT_ANY = "roles:grant-any"
    SERVICES_WRITE = "services:write"
