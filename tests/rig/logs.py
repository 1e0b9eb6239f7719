"""A log that a test can read back."""

import io
import json
from typing import Any


class Lines(io.StringIO):
    """Log lines as they are written."""

    def read_all(self) -> list[dict[str, Any]]:
        """Each line as the JSON object that it must be."""
        return [json.loads(line) for line in self.getvalue().splitlines()]
