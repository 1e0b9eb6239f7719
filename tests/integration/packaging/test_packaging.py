"""Two wheels: a contract that needs pydantic alone, and a service that carries its migrations."""

import os
import re
import subprocess
import tomllib
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import asyncpg
import pytest
from packaging.requirements import Requirement

from authbus_service.core.migrations import newest
from authbus_service.core.security.compiled.build import SHA256, SOURCE
from authbus_service.embedded import EmbeddedStack
from tests.rig.environments import build, lend, needs, new_environment, site_packages

RUN_COMMAND = """
from importlib.metadata import distribution
command, = distribution("authbus-service").entry_points.select(name="authbus")
command.load()()
"""


@pytest.fixture(scope="module")
def wheels(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build both; the names are those of the distributions."""
    folder = tmp_path_factory.mktemp("wheels")
    built = [build(source, folder) for source in (repository, repository / "schemas")]
    return {path.name.partition("-")[0]: path for path in built}


def run(environment: Path, code: str, *arguments: str, **variables: str) -> str:
    """Run code there, blind to this process's paths; return what it printed."""
    return subprocess.run(
        (str(environment / "bin" / "python"), "-I", "-c", code, *arguments),
        env={"PATH": os.environ["PATH"], **variables},
        cwd=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    ).stdout


def test_the_bare_contract_imports_where_pydantic_alone_is_installed(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    bare = new_environment(tmp_path / "bare", wheels["authbus"])
    for name in set(needs("pydantic")):
        lend(name, bare)

    printed = run(bare, "import authbus; print(authbus.__file__, authbus.LogIn.__name__)")

    assert printed.split() == [str(site_packages(bare) / "authbus" / "__init__.py"), "LogIn"]


def test_the_contracts_wheel_carries_its_types_and_its_spec_files(
    wheels: dict[str, Path], repository: Path
) -> None:
    spec = (repository / "schemas" / "authbus" / "spec").rglob("*.json")
    wanted = {str(path.relative_to(repository / "schemas")) for path in spec}

    names = set(zipfile.ZipFile(wheels["authbus"]).namelist())

    assert wanted
    assert names >= {"authbus/py.typed", *wanted}


def test_the_services_wheel_carries_every_migration(
    wheels: dict[str, Path], repository: Path
) -> None:
    revisions = {
        f"authbus_service/{path.relative_to(repository)}"
        for path in (repository / "migrations").rglob("*.py")
    }

    names = set(zipfile.ZipFile(wheels["authbus_service"]).namelist())

    assert len(revisions) > 1
    assert names >= revisions
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"authbus_service"}


async def test_the_installed_wheel_migrates_an_empty_database(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    installed = new_environment(tmp_path / "installed", *wheels.values())
    borrowed = Path(str(distribution("pydantic").locate_file("")))
    (site_packages(installed) / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    origin = run(installed, "import authbus_service; print(authbus_service.__file__)")

    async with EmbeddedStack(kafka=False) as stack:
        url = stack.addresses.database_url
        run(installed, RUN_COMMAND, "migrate", DATABASE_URL=url)
        run(installed, RUN_COMMAND, "migrate", DATABASE_URL=url)
        db = await asyncpg.connect(url.replace("+asyncpg", ""))
        revision = await db.fetchval("SELECT version_num FROM alembic_version")
        tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        await db.close()

    assert origin.startswith(str(site_packages(installed)))
    assert revision == newest()
    assert {"users", "sessions", "inbox", "outbox"} <= {row["tablename"] for row in tables}


def test_every_dependency_is_locked_at_a_version_that_it_allows(repository: Path) -> None:
    text = (repository / "requirements.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, re.MULTILINE))
    service = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    contract = tomllib.loads((repository / "schemas/pyproject.toml").read_text(encoding="utf-8"))
    wanted = [Requirement(each) for each in service["dependency-groups"]["dev"]]
    for project in (service["project"], contract["project"]):
        for each in (project["dependencies"], *project["optional-dependencies"].values()):
            wanted += map(Requirement, each)

    loose = [
        str(each)
        for each in wanted
        if each.name != "authbus" and not each.specifier.contains(locked.get(each.name, "0"))
    ]

    assert len(wanted) > len(service["dependency-groups"]["dev"])
    assert loose == []


def test_the_source_of_the_compiled_hash_is_the_one_that_is_locked(repository: Path) -> None:
    text = (repository / "requirements.txt").read_text(encoding="utf-8")

    locked = text.partition(f"\n{SOURCE} ")[2].partition("==")[0]

    assert f"sha256:{SHA256}" in locked


def test_both_distributions_carry_one_version_and_one_licence(repository: Path) -> None:
    service, contract = (
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for folder in (repository, repository / "schemas")
    )

    assert service["version"] == contract["version"]
    assert f"authbus[client]=={contract['version']}" in service["dependencies"]
    assert (repository / "LICENSE").read_bytes() == (repository / "schemas/LICENSE").read_bytes()
