"""The spec folder: fresh, valid, and true of the messages."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

from authbus import specification
from authbus.envelope import Sealed
from authbus.specification import asyncapi, examples, headers
from authbus.specification.messages import Entry, Kind, entries
from authbus.specification.schemas import sealed_as

SPEC = specification.FOLDER
ENTRIES = [pytest.param(entry, id=entry.name) for entry in entries()]
WITHOUT_EXTRAS = """
import runpy, sys
for name in ("aiokafka", "cryptography", "nacl", "joserfc", "authbus_service"):
    sys.modules[name] = None
sys.argv = ["authbus", "spec", "--check"]
runpy.run_module("authbus", run_name="__main__")
"""


def read(path: str) -> dict[str, Any]:
    return json.loads((SPEC / path).read_text(encoding="utf-8"))


def schema_paths() -> list[str]:
    folders = (*(kind.value for kind in Kind), "envelope")
    found = (path for folder in folders for path in (SPEC / folder).glob("*.json"))
    return sorted(path.relative_to(SPEC).as_posix() for path in found)


def check(value: object, path: str) -> None:
    Draft202012Validator(read(path), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        value
    )


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def point(document: dict[str, Any], reference: str) -> object:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_the_checked_in_spec_is_what_the_code_generates() -> None:
    assert specification.stale() == [], "run `authbus spec` and look at the difference"


def test_a_second_writing_changes_nothing(tmp_path: Path) -> None:
    first = specification.write(tmp_path)

    assert first
    assert specification.write(tmp_path) == []
    assert specification.stale(tmp_path) == []


def test_a_changed_a_missing_and_a_left_over_file_are_stale_and_are_mended(tmp_path: Path) -> None:
    specification.write(tmp_path)
    (tmp_path / "asyncapi.json").write_text("{}")
    (tmp_path / "contract.md").unlink()
    (tmp_path / "events" / "Gone.v1.json").write_text("{}")

    found = specification.stale(tmp_path)
    specification.write(tmp_path)

    assert found == ["asyncapi.json", "contract.md", "events/Gone.v1.json"]
    assert specification.stale(tmp_path) == []
    assert not (tmp_path / "events" / "Gone.v1.json").exists()


def test_the_spec_is_made_with_pydantic_alone() -> None:
    done = subprocess.run(
        (sys.executable, "-c", WITHOUT_EXTRAS), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_python_m_authbus_names_a_stale_file_and_fails(tmp_path: Path) -> None:
    specification.write(tmp_path)
    (tmp_path / "contract.md").write_text("old")
    call = (sys.executable, "-m", "authbus", "spec", "--check", "--folder", str(tmp_path))

    done = subprocess.run(call, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "contract.md\n")


def test_the_spec_carries_the_version_of_the_distribution(repository: Path) -> None:
    project = tomllib.loads((repository / "schemas" / "pyproject.toml").read_text())["project"]

    assert project["version"] == asyncapi.VERSION
    assert read("asyncapi.json")["info"]["version"] == asyncapi.VERSION


@pytest.mark.parametrize("path", schema_paths())
def test_each_schema_is_valid_and_named_by_its_urn(path: str) -> None:
    schema = read(path)

    Draft202012Validator.check_schema(schema)

    assert schema["$id"] == f"urn:authbus:schema:{Path(path).stem}"
    assert all(point(schema, reference) for reference in references(schema))


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_example_record_is_valid_and_readable(entry: Entry) -> None:
    record = read(f"examples/{entry.name}.json")
    data = record["value_before_sealing" if entry.wrapped else "value"]

    check(record["headers"], f"envelope/{headers.NAMES[entry.kind]}.v1.json")
    if entry.kind is Kind.COMMAND:
        check(data, "envelope/Sealed.v1.json")
        repeated = {name: value.decode() for name, value in Sealed(**data).headers()}
        assert repeated == record["headers"]
        data = data["data"]
    check(data, f"{entry.kind.value}/{entry.name}.json")

    assert entry.model.model_validate(data).to_json() == data
    assert record["headers"]["ce_type"] == entry.model.wire_type()


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_schema_refuses_an_example_with_its_first_field_missing(entry: Entry) -> None:
    data = examples.VALUES[entry.model].to_json()
    data.pop(next(iter(data)))

    with pytest.raises(ValidationError):
        check(data, f"{entry.kind.value}/{entry.name}.json")


@pytest.mark.parametrize("entry", ENTRIES)
def test_commands_are_closed_and_all_others_open(entry: Entry) -> None:
    schema = read(f"{entry.kind.value}/{entry.name}.json")

    if entry.kind is Kind.COMMAND:
        assert schema["additionalProperties"] is False
    else:
        assert "additionalProperties" not in schema


def test_ids_of_commands_and_records_in_examples_are_uuid_7_and_8_of_their_time() -> None:
    milliseconds = int(examples.AT.timestamp() * 1000)
    for entry in (entry for entry in entries() if entry.kind is not Kind.REPLY):
        id_ = UUID(read(f"examples/{entry.name}.json")["headers"]["ce_id"])

        assert id_.version == (7 if entry.kind is Kind.COMMAND else 8)
        assert id_.int >> 80 == milliseconds


def test_every_reference_in_asyncapi_leads_somewhere() -> None:
    document = read("asyncapi.json")

    found = list(references(document))

    assert len(found) > 50
    assert all(point(document, reference) for reference in found)


def test_asyncapi_tells_what_is_inside_a_sealed_command() -> None:
    document = read("asyncapi.json")
    command = next(entry for entry in entries() if entry.kind is Kind.COMMAND)
    message = document["components"]["messages"][command.model.__name__]
    registry = Registry().with_resource(
        "urn:asyncapi", Resource.opaque({"components": document["components"]})
    )
    schema = sealed_as(command, "urn:asyncapi#/components/schemas/")
    inside = Draft202012Validator(schema, registry=registry)

    assert message["contentType"] == "application/jose"
    assert point(document, message["x-sealed-payload"]["$ref"])
    assert inside.is_valid(message["x-sealed-example"])
    assert not inside.is_valid({**message["x-sealed-example"], "type": "authbus.LogOut.v1"})
