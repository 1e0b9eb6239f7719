"""The relay's world, with a real relay's processes in it."""

from tests.integration.relay.conftest import world

__all__ = ["world"]
