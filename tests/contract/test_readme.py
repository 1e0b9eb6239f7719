"""What the pages say of the code is true."""

import re
from pathlib import Path

import pytest
from typer.models import CommandInfo

from authbus_service.cli.app import app

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "schemas/README.md",
    "deploy/figures.md",
    "deploy/operations.md",
    "deploy/runbook.md",
    "deploy/scaling.md",
    "deploy/threats.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str, repository: Path) -> None:
    text = (repository / page).read_text(encoding="utf-8")
    yet_to_come = {*re.findall(r"^New, `([^`]+)`:$", text, re.MULTILINE)}
    folder = (repository / page).parent
    links = {folder / each for each in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)}
    named = re.findall(r"`((?:schemas|service|deploy)/[^`:* ]*)`", text)

    paths = links | {repository / each for each in named if each not in yet_to_come}

    assert [path for path in paths if not path.exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_heading_that_a_page_links_to_is_there(page: str, repository: Path) -> None:
    text = (repository / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text)

    missing = [
        (name, anchor)
        for name, anchor in links
        if anchor not in anchors((repository / page).parent / name if name else repository / page)
    ]

    assert missing == []


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize(
    ("file", "some"),
    [
        ("README.md", {"doctor", "watch", "users create"}),
        ("deploy/operations.md", {"migrate", "serve", "topics check"}),
        ("deploy/runbook.md", {"doctor", "recover", "replay commands", "dead-letters list"}),
    ],
)
def test_every_command_that_is_shown_is_there(file: str, some: set[str], repository: Path) -> None:
    told = (repository / file).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```sh\n(.*?)```", told, re.DOTALL))
    # Behind a slash it is the name of a resource.
    shown = set(re.findall(r"(?<!/)\bauthbus ([a-z-]+(?: [a-z][a-z-]*)?)", code))
    known = {_name(command) for command in app.registered_commands}
    for group in app.registered_groups:
        inside = group.typer_instance.registered_commands if group.typer_instance else ()
        known |= {f"{group.name} {_name(command)}" for command in inside}

    assert some <= shown
    assert shown <= known


def _name(command: CommandInfo) -> str | None:
    return command.name or (command.callback.__name__ if command.callback else None)
