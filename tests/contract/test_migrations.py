"""Migrations are one line, and the newest is known without Alembic."""

import subprocess
import sys

from alembic.script import ScriptDirectory

from authbus_service.core.migrations import config, newest


def test_the_newest_revision_is_alembics_only_head() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [newest()]


def test_a_service_starts_without_alembic() -> None:
    look = "import sys, authbus_service.main; sys.exit('alembic' in sys.modules)"

    assert subprocess.run((sys.executable, "-c", look), check=False).returncode == 0
