"""The README's pictures are what is drawn from the stored runs; `make pictures` draws them anew."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from tests.pictures.pictures import FOLDER, PICTURES
from tests.pictures.timeline import bins, harmed


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_is_drawn_from_its_data(name: str) -> None:
    assert text(name) == PICTURES[name]()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_stands_alone_and_says_what_it_shows(name: str) -> None:
    root = ET.fromstring(text(name))  # noqa: S314 - of our own making

    assert root.findtext("{http://www.w3.org/2000/svg}title")
    assert re.findall(r"(?:href|src|url)\b", text(name)) == []


def test_there_is_no_picture_that_is_not_drawn() -> None:
    assert {path.name for path in FOLDER.glob("*.svg")} == {*PICTURES}


def test_the_run_that_is_shown_broke_nothing_and_killed_each_part() -> None:
    told = json.loads(text("chaos.json"))

    assert (told["verdict"], told["violations"]) == ("green", [])
    assert told["unanswered after the heal"] == []
    killed = {harmed(each["name"]) for each in told["faults"]}
    assert killed >= {"relay killed", "service killed", "broker killed", "PostgreSQL killed"}


def test_a_part_of_the_run_has_its_log_ins_and_the_slowest_of_a_hundred() -> None:
    took = [0.1] * 99 + [5.0, 9.0]
    told = {"seconds": 10.0, "log-ins": [{"at": 1.0, "took": each} for each in took]}

    first, second = bins(told)

    assert (first.count, first.p99) == (101, 5.0)
    assert (second.count, second.p99) == (0, 0.0)
