"""The page of operators names the versions of Kafka and PostgreSQL that the tests are run on."""

# pyright: reportPrivateUsage=false

import re
from pathlib import Path

import pytest

from authbus_service.embedded import jar_lock, postgres, settings

RUN = r"AUTHBUS_EMBEDDED_KAFKA=(\S+) AUTHBUS_EMBEDDED_POSTGRES=(\S+) "
KAFKA = r"\| Kafka \| Apache Kafka ([\d.]+), [^|]*; `make versions`: ([\d.]+) and ([\d.]+) \|"
POSTGRES = r"\| PostgreSQL \| (\d+); `make versions`: (\d+) \| (\d+) \|"


def test_the_table_has_the_usual_the_oldest_and_the_newest_that_there_are(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTHBUS_EMBEDDED_KAFKA", "AUTHBUS_EMBEDDED_POSTGRES"):
        monkeypatch.delenv(name, raising=False)
    page = (repository / "deploy/operations.md").read_text(encoding="utf-8")
    table = page.partition("\n## Versions\n")[2].partition("\n## ")[0]
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    target = makefile.partition("\nversions:")[2].partition("\n\n")[0]
    kafkas = sorted(jar_lock.versions(), key=lambda each: [int(part) for part in each.split(".")])
    databases = sorted(postgres._INSTALLED, key=int)

    ((usual, *ends),) = re.findall(KAFKA, table)
    ((usual_database, other, least),) = re.findall(POSTGRES, table)
    runs = re.findall(RUN, target)

    assert [kafka for kafka, _ in runs] == ends == [kafkas[0], kafkas[-1]]
    assert [database for _, database in runs] == databases == [other, usual_database]
    assert (usual, usual_database) == (settings.kafka_version(), settings.postgres_version())
    assert least == databases[0]
