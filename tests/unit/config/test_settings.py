"""Settings come from the environment and `.env`, and what is wrong is said in one readable line."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from authbus_service.core.config import ConfigError, Settings, load, setting_names
from authbus_service.embedded.data_folder import DataFolder
from authbus_service.startup.master_key import kept_master_key

KEY = bytes(range(32)).hex()


@pytest.fixture(autouse=True)
def env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".env"


def test_nothing_needs_to_be_set() -> None:
    settings = load()

    assert settings == Settings()
    assert (settings.namespace, settings.issuer, settings.topics) == (
        "auth",
        "authbus/auth",
        "apply",
    )
    assert (settings.argon2_memory_kib, settings.argon2_time, settings.argon2_parallelism) == (
        19456,
        2,
        1,
    )


def test_the_environment_wins_over_the_file(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("AUTHBUS_NAMESPACE=file\nAUTHBUS_HTTP_PORT=1234\nPOSTGRES_PASSWORD=x\n")
    monkeypatch.setenv("AUTHBUS_NAMESPACE", "process")

    settings = load()

    assert (settings.namespace, settings.http_port) == ("process", 1234)
    assert settings.issuer == "authbus/process"


def test_kafka_and_database_have_their_usual_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "one:9092,two:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@db/authbus")

    settings = load()

    assert settings.kafka_bootstrap_servers == "one:9092,two:9092"
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:hunter2@db/authbus"
    assert "hunter2" not in repr(settings)


def test_topics_are_made_on_the_embedded_kafka_and_only_checked_on_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "one:9092")
    checked = load()
    monkeypatch.setenv("AUTHBUS_TOPICS", "apply")

    applied = load()

    assert (checked.topics, applied.topics) == ("check", "apply")


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "")
    monkeypatch.setenv("AUTHBUS_HASH_THREADS", "")

    settings = load()

    assert settings.kafka_bootstrap_servers is None
    assert settings.hash_threads is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("AUTHBUS_NAMESPCE", "AUTHBUS_NAMESPACE"),
        ("AUTHBUS_DATABASE_URL", "DATABASE_URL"),
        ("AUTHBUS_KAFKA_BOOTSTRAP_SERVER", "KAFKA_BOOTSTRAP_SERVERS"),
        ("AUTHBUS_MASTERKEY", "AUTHBUS_MASTER_KEY"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_the_right_one(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, right: str
) -> None:
    monkeypatch.setenv(wrong, "s3cret")
    with pytest.raises(ConfigError, match=rf"{wrong} is not a setting; did you mean {right}\?"):
        load()

    monkeypatch.delenv(wrong)
    env_file.write_text(f"{wrong}=s3cret\n")
    with pytest.raises(ConfigError, match=rf"did you mean {right}\?") as raised:
        load()

    assert "s3cret" not in str(raised.value)


def test_names_of_the_embedded_stack_belong_into_the_environment(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHBUS_CACHE", "somewhere")
    load()
    env_file.write_text("AUTHBUS_CACHE=somewhere\n")

    with pytest.raises(ConfigError, match="AUTHBUS_CACHE is read from the environment alone"):
        load()


def test_a_data_folder_at_home_is_one_place_for_all_that_lies_in_it(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    env_file.write_text("AUTHBUS_DATA=~/authbus\n")

    data = load().data
    key = kept_master_key(data)

    assert data == tmp_path / "home" / "authbus"
    assert key.parent == DataFolder(data).path


def test_a_home_that_nobody_has_is_a_readable_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHBUS_DATA", "~nobody-of-this-name/authbus")

    with pytest.raises(ConfigError, match=r"AUTHBUS_DATA: .*Give the whole path"):
        load()


def test_http_is_a_port_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHBUS_HTTP_PORT", "OFF")
    off = load().http_port
    monkeypatch.setenv("AUTHBUS_HTTP_PORT", "9000")

    assert (off, load().http_port) == (None, 9000)


def test_all_that_is_wrong_is_said_at_once_and_no_value_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTHBUS_NAMESPACE", "Hunter2")
    monkeypatch.setenv("AUTHBUS_MASTER_KEY", "hunter2")
    monkeypatch.setenv("AUTHBUS_HTTP_PORT", "hunter2")

    with pytest.raises(ConfigError) as raised:
        load()

    told = str(raised.value)
    assert told.count("AUTHBUS_") == 3
    assert "hunter2" not in told.lower()
    assert "\n" not in told


@pytest.mark.parametrize(
    "values",
    [
        {"argon2_memory_kib": 7},
        {"argon2_memory_kib": 8, "argon2_parallelism": 2},
        {"password_min_length": 7},
        {"access_token_seconds": 601},
        {"namespace": "auth.v1"},
        {"namespace": "auth\n"},
        {"master_key": KEY, "master_key_file": Path("key")},
        {"unheard_of": 1},
    ],
)
def test_values_out_of_bounds_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(values)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().namespace = "other"  # pyright: ignore[reportAttributeAccessIssue]


def test_a_file_that_is_not_text_is_a_readable_error(env_file: Path) -> None:
    env_file.write_bytes(b"AUTHBUS_NAMESPACE=\xff\xfe\n")

    with pytest.raises(ConfigError, match="cannot be read"):
        load()
