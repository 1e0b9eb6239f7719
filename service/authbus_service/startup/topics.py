"""The topics are there: checked, or made, as AUTHBUS_TOPICS says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from authbus_service.cluster import Admin, Finding, TopicsError, apply, check, declared


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster whose topics are as they must be, and what is wrong but can be lived with."""

    id: str
    findings: list[Finding]


async def require_topics(
    servers: str,
    security: Mapping[str, Any],
    *,
    namespace: str,
    clients: Iterable[str],
    how: Literal["check", "apply"],
) -> Cluster:
    """Check or make every topic; raises ClusterError, TopicsError with what mends each."""
    async with Admin.connect(servers, security) as admin:
        cluster_id, brokers = await admin.describe()
        wanted = declared(namespace, clients, brokers)
        findings = await (apply if how == "apply" else check)(admin, wanted)
        if any(finding.fatal for finding in findings):
            raise TopicsError(findings)
        return Cluster(cluster_id, findings)
