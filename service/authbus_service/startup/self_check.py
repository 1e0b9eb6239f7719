"""What each start looks at beside topics and tables: rights, and what somebody should know."""

from collections.abc import Iterable, Mapping

from authbus_service.cluster import Finding
from authbus_service.core.clients import Client
from authbus_service.core.database import Database
from authbus_service.core.logging import get_logger
from authbus_service.startup.looking import Round
from authbus_service.startup.rights import require_rights
from authbus_service.startup.risks import Risks
from authbus_service.startup.servers import Servers, addresses

_log = get_logger(__name__)


async def self_check(
    servers: Servers,
    database: Database,
    clients: Mapping[str, Client],
    of_topics: Iterable[Finding],
) -> None:
    """Raise ClusterError when a right is missing or too much; log what one can live with.

    Risks of servers of our own are not looked at: those are for this machine alone.
    """
    for finding in of_topics:
        _log.warning("a topic is not as declared", finding=str(finding))
    kafka, _ = addresses(servers.settings)
    for weak in await require_rights(servers.settings, kafka, clients):
        _log.warning("rights are wider than need be", finding=str(weak))
    if servers.own_kafka or servers.own_database:
        return
    async for risk in Risks(servers.settings, database, kafka).look(Round()):
        if risk.state != "ok":
            _log.warning("a risk", what=risk.what, says=risk.says)
