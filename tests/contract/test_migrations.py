"""Migrations are one line, stop nobody, and the newest is known without Alembic."""

import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from authbus_service.core import migrations
from authbus_service.core.migrations import config, newest

SQUAWK = Path(sys.executable).with_name("squawk")
LIMITED = "SET LOCAL lock_timeout = '300ms'; SET LOCAL statement_timeout = '5s';"
# What stops log-ins for as long as a table is read or written anew, or the version before this one.
STOPS = {
    "CREATE INDEX ix_users_email ON users (email)": "require-concurrent-index-creation",
    "ALTER TABLE users ADD COLUMN age bigint NOT NULL": "adding-required-field",
    "ALTER TABLE users ALTER COLUMN email SET NOT NULL": "adding-not-nullable-field",
    "ALTER TABLE users ALTER COLUMN sequence TYPE text": "changing-column-type",
    "ALTER TABLE users DROP COLUMN email": "ban-drop-column",
    "ALTER TABLE users RENAME COLUMN email TO address": "renaming-column",
    "DROP TABLE users": "ban-drop-table",
    "ALTER TABLE users ADD CONSTRAINT own CHECK (sequence > 0)": "constraint-missing-not-valid",
}


def squawked(sql: str, repository: Path) -> tuple[int, str]:
    """What squawk has against it."""
    done = subprocess.run(
        (SQUAWK, "--config", repository / ".squawk.toml", "--reporter", "gcc"),
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_newest_revision_is_alembics_only_head() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [newest()]


def test_they_are_found_in_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(migrations.migrations_folder(), tmp_path / "é, 100% %(x)s\\y"))
    monkeypatch.setattr(migrations, "migrations_folder", lambda: folder)

    found = ScriptDirectory.from_config(config())

    assert Path(found.dir) == folder
    assert found.get_heads() == [newest()]


def test_a_service_starts_without_alembic() -> None:
    look = "import sys, authbus_service.main; sys.exit('alembic' in sys.modules)"

    assert subprocess.run((sys.executable, "-c", look), check=False).returncode == 0


def test_no_migration_stops_log_ins_or_the_version_before_it(repository: Path) -> None:
    with redirect_stdout(StringIO()) as printed:
        command.upgrade(config(), "head", sql=True)

    assert printed.getvalue().count("-- Running upgrade") == int(newest())
    assert squawked(printed.getvalue(), repository) == (0, "")


@pytest.mark.parametrize(("sql", "rule"), STOPS.items())
def test_a_migration_that_would_is_refused(sql: str, rule: str, repository: Path) -> None:
    status, told = squawked(f"BEGIN; {LIMITED} {sql}; COMMIT;", repository)

    assert (status, rule in told) == (1, True)


def test_a_migration_without_limits_is_refused(repository: Path) -> None:
    status, told = squawked("ALTER TABLE users ADD COLUMN age bigint;", repository)

    assert status == 1
    assert {"require-lock-timeout", "require-statement-timeout"} <= set(told.split())
