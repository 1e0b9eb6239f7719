"""docker-compose.yml has the servers that a look at the service needs, each as it is meant."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.rig.manifests import SCHEMAS


@pytest.fixture
def compose(repository: Path) -> dict[str, Any]:
    return yaml.safe_load((repository / "docker-compose.yml").read_text(encoding="utf-8"))


def test_it_has_the_service_with_its_servers_and_what_shows_them_and_no_more(
    compose: dict[str, Any],
) -> None:
    images = {name: each["image"] for name, each in compose["services"].items()}

    assert images.pop("postgres") == "postgres:18"
    assert {name: image.partition(":")[0] for name, image in images.items()} == {
        "kafka": "apache/kafka",
        "migrate": "authbus",
        "authbus": "authbus",
        "kafka-ui": "kafbat/kafka-ui",
        "prometheus": "prom/prometheus",
        "grafana": "grafana/grafana",
    }


def test_the_service_may_write_nothing_but_what_is_gone_with_it(compose: dict[str, Any]) -> None:
    service = compose["services"]["authbus"]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - a path in the container
    assert [each for each in service["volumes"] if not each.endswith(":ro")] == []
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_each_port_is_opened_to_this_machine_alone(compose: dict[str, Any]) -> None:
    ports = [each for of in compose["services"].values() for each in of.get("ports", ())]

    assert ports
    assert [each for each in ports if not each.startswith("127.0.0.1:")] == []


def test_grafana_begins_with_the_dashboard_and_finds_prometheus_which_finds_the_service(
    repository: Path, compose: dict[str, Any]
) -> None:
    grafana, prometheus = (compose["services"][name] for name in ("grafana", "prometheus"))
    provided = {
        each["target"].rpartition("/")[0].rpartition("/")[2]: yaml.safe_load(
            compose["configs"][each["source"]]["content"]
        )
        for each in grafana["configs"]
    }
    (dashboards,), (source,) = (
        provided["dashboards"]["providers"],
        provided["datasources"]["datasources"],
    )
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    config = prometheus["command"][0].removeprefix("--config.file=")

    (scraped,) = yaml.safe_load(mounted(repository, prometheus, config))["scrape_configs"]

    assert home.rpartition("/")[0] == dashboards["options"]["path"]
    assert json.loads(mounted(repository, grafana, home))["panels"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert source["isDefault"] is True
    (target,) = scraped["static_configs"][0]["targets"]
    host, _, port = target.partition(":")
    assert compose["services"][host]["ports"] == [f"127.0.0.1:{port}:{port}"]


def mounted(repository: Path, service: dict[str, Any], path: str) -> str:
    """What a service finds at this path of its own."""
    for each in service["volumes"]:
        source, place, *_ = each.split(":")
        if path.startswith(f"{place}/"):
            return (repository / source / path.removeprefix(f"{place}/")).read_text("utf-8")
    raise FileNotFoundError(path)


def test_the_compose_file_is_what_its_schema_allows(
    repository: Path, compose: dict[str, Any]
) -> None:
    schema = json.loads((SCHEMAS / "compose.json").read_text())

    told = [each.message for each in Draft7Validator(schema).iter_errors(compose)]

    assert not told
    mounted = re.findall(r"- \./([^:]+):", (repository / "docker-compose.yml").read_text())
    assert [each for each in mounted if not (repository / each).exists()] == []
    configs = {
        each["source"]
        for service in compose["services"].values()
        for each in service.get("configs", ())
    }
    assert configs == set(compose["configs"])
    for name, service in compose["services"].items():
        assert set(service.get("depends_on", {})) <= set(compose["services"]), name


def test_compose_builds_the_image_once_and_pulls_it_from_nowhere(compose: dict[str, Any]) -> None:
    ours = [each for each in compose["services"].values() if each["image"] == "authbus"]

    assert ["build" in each for each in ours] == [False, True]
    assert [each.get("pull_policy") for each in ours] == ["never", "build"]


def test_each_file_that_compose_names_in_a_setting_is_mounted_there(
    compose: dict[str, Any],
) -> None:
    ours = {name: each for name, each in compose["services"].items() if "build" in each}

    named = {
        (name, value)
        for name, each in ours.items()
        for value in each["environment"].values()
        if value.startswith("/")
    }
    mounted = {
        (name, volume.split(":")[1])
        for name, each in ours.items()
        for volume in each.get("volumes", ())
    }

    assert named
    assert named == mounted
