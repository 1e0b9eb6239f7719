"""The spec files, made from the contract: the same bytes on every machine, with pydantic alone."""

from authbus.specification.compatibility import breaks
from authbus.specification.files import FOLDER, stale, write

__all__ = ["FOLDER", "breaks", "stale", "write"]
