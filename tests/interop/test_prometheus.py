"""Prometheus' own tool reads the configuration and plays the alerts through."""

import pytest

from tests.rig.foreign import REPOSITORY, run

pytestmark = pytest.mark.interop
_FOLDER = REPOSITORY / "deploy" / "prometheus"


async def test_what_prometheus_is_given_is_what_it_takes() -> None:
    await run("promtool", "check", "config", "prometheus.yaml", folder=_FOLDER)


async def test_each_alert_is_raised_by_what_it_is_for_and_by_nothing_else() -> None:
    await run("promtool", "test", "rules", "alerts.test.yaml", folder=_FOLDER)
