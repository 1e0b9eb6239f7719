"""What is shipped beside the code names real settings and real clients."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from authbus.topics import COMMAND_TOPICS
from authbus_service.core.clients import read_clients
from authbus_service.core.config import Settings, load, setting_names


def settings_in(text: str) -> dict[str, str]:
    shown = re.findall(
        r"^(?:# )?((?:AUTHBUS_|KAFKA_B|DATABASE_)[A-Z0-9_]+)=(.*)$", text, re.MULTILINE
    )
    return dict(shown)


def test_the_example_shows_every_setting_and_no_other(repository: Path) -> None:
    shown = settings_in((repository / ".env.example").read_text(encoding="utf-8"))

    assert sorted(shown) == sorted(setting_names())


def test_the_example_shows_the_defaults(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)
    shown = settings_in((repository / ".env.example").read_text(encoding="utf-8"))
    env_file = tmp_path / ".env"
    lines = (f"{name}={value}\n" for name, value in shown.items() if name != "AUTHBUS_TOPICS")
    env_file.write_text("".join(lines), encoding="utf-8")

    assert load(env_file) == Settings.model_validate({})


def test_the_compose_file_names_real_settings_and_a_file_of_clients(repository: Path) -> None:
    compose = (repository / "docker-compose.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"^ +(AUTHBUS_[A-Z_]+|DATABASE_URL): ", compose, re.MULTILINE))

    assert "AUTHBUS_MASTER_KEY" in named
    assert named <= set(setting_names())
    assert "web" in read_clients(repository / "deploy" / "clients.toml")


def test_no_backup_is_kept_that_the_command_topics_could_not_bring_back(repository: Path) -> None:
    manifest = (repository / "deploy/kubernetes/postgres.yaml").read_text(encoding="utf-8")
    (kept,) = re.findall(r"^  retentionPolicy: (\d+)d$", manifest, re.MULTILINE)
    (schedule,) = re.findall(r'^  schedule: "(.+)"$', manifest, re.MULTILINE)
    commands = min(int(topic.config["retention.ms"]) for topic in COMMAND_TOPICS)

    assert timedelta(days=int(kept)) < timedelta(milliseconds=commands)
    assert re.fullmatch(r"\d+ \d+ \d+ \* \* \*", schedule), "not once a day"
