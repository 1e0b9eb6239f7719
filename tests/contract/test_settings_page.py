"""The page of settings is generated, whole, and says what may be given."""

import re

import pytest
from pydantic import ValidationError

from authbus import specification
from authbus_service.cli.pages import settings_page
from authbus_service.core.config import EMBEDDED, Settings, setting_names
from authbus_service.core.settings import name_of

PAGE = settings_page.as_markdown()
ROWS = {
    name: (kind, default.strip("`"), meaning)
    for name, kind, default, meaning in re.findall(
        r"^\| `([A-Z0-9_]+)` \| (.+?) \| (.*?) \| (.+) \|$", PAGE, re.MULTILINE
    )
}
BOUNDED = {
    field: [int(each.replace(",", "")) for each in kind.split(" to ")]
    for field in Settings.model_fields
    if " to " in (kind := ROWS[name_of(field)][0])
}


def test_the_checked_in_page_is_what_the_code_generates() -> None:
    found = (specification.FOLDER / settings_page.NAME).read_text(encoding="utf-8")

    assert found == PAGE, "run `authbus spec` and look at the difference"


def test_every_setting_is_on_the_page_once_with_a_type_and_a_meaning() -> None:
    assert sorted(re.findall(r"^\| `([A-Z0-9_]+)`", PAGE, re.MULTILINE)) == sorted(
        [*setting_names(), *EMBEDDED]
    )
    assert ROWS.keys() == {*setting_names(), *EMBEDDED}


def test_its_defaults_are_those_of_the_code() -> None:
    usual = dict(Settings.model_validate({}))
    told = {name_of(field): "" if each is None else str(each) for field, each in usual.items()}

    assert {name: ROWS[name][1] for name in told} == told | {"AUTHBUS_TOPICS": "check"}


@pytest.mark.parametrize("field", BOUNDED)
def test_its_bounds_are_the_last_values_that_are_taken(field: str) -> None:
    least, most = BOUNDED[field]

    for value in (least, most):
        assert getattr(_with(field, value), field) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError):
            _with(field, value)


def _with(field: str, value: int) -> Settings:
    return Settings.model_validate({field: value})
