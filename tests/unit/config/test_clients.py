"""Clients are declared in a file, and a wrong declaration says where it is wrong."""

from pathlib import Path

import pytest

from authbus_service.core.clients import EMBEDDED_CLIENTS, read_clients
from authbus_service.core.config import ConfigError


def declared(folder: Path, text: str) -> Path:
    path = folder / "clients.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_client_has_its_audiences_its_reply_topic_and_its_principal(tmp_path: Path) -> None:
    path = declared(
        tmp_path,
        '[[client]]\nid = "web"\naudiences = ["shop", "api"]\nprincipal = "User:web"\n'
        '[[client]]\nid = "app"\n',
    )

    clients = read_clients(path)

    assert list(clients) == ["web", "app"]
    assert clients["web"].audiences == ("shop", "api")
    assert clients["web"].principal == "User:web"
    assert clients["web"].source == "/clients/web"
    assert clients["web"].reply_topic.name("auth") == "auth.replies.web"
    assert clients["app"].audiences == ("app",)


def test_the_embedded_stack_declares_web_demo_and_shell() -> None:
    assert {id_: client.audiences for id_, client in EMBEDDED_CLIENTS.items()} == {
        "web": ("web",),
        "demo": ("demo",),
        "shell": ("shell",),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "client"),
        ("client = 1", "client"),
        ("[[client]]\n", "client.0.id"),
        ('[[client]]\nid = "We b"\n', "client.0.id"),
        ('[[client]]\nid = "../events"\n', "client.0.id"),
        ('[[client]]\nid = "web"\naudience = ["a"]\n', "client.0.audience"),
        ('[[client]]\nid = "web"\naudiences = []\n', "client.0.audiences"),
        ('[[client]]\nid = "web"\n[[client]]\nid = "web"\n', "twice"),
        ("[[client", "cannot be read"),
    ],
)
def test_a_wrong_declaration_is_an_error_that_says_where(
    tmp_path: Path, text: str, told: str
) -> None:
    path = declared(tmp_path, text)

    with pytest.raises(ConfigError, match=told) as raised:
        read_clients(path)

    assert str(path) in str(raised.value)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_clients(tmp_path / "nowhere.toml")
