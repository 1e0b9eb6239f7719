"""Warnings of one module, whatever other tests did to logging."""

import logging
from types import ModuleType
from uuid import uuid4

import pytest


class Warnings(logging.Handler):
    """What was warned of, as it would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def warnings_of(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Warnings:
    """Listen to this module's logger until the test ends."""
    logger, heard = logging.getLogger(uuid4().hex), Warnings()
    logger.setLevel(logging.WARNING)
    logger.addHandler(heard)
    monkeypatch.setattr(module, "_LOG", logger)
    return heard
