"""`authbus`: the operators' commands."""

from authbus_service.cli.app import main

__all__ = ["main"]
