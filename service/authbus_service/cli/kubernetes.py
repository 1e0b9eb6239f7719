"""`authbus kubernetes`."""

import sys

from authbus_service.cluster import declared as declared_topics
from authbus_service.cluster.acls import acls
from authbus_service.cluster.strimzi import as_yaml, resources
from authbus_service.consumers.intakes import groups_of
from authbus_service.core.clients import read_declared
from authbus_service.core.config import load
from authbus_service.startup.errors import StartupError

_BROKERS = 3
_HEAD = "# Made by `authbus kubernetes` from the file of clients; change that and make it anew.\n"


def kubernetes(cluster: str) -> None:
    """Print the resources."""
    settings = load()
    if settings.clients is None:
        raise StartupError(
            "AUTHBUS_CLIENTS is needed: users and rights follow from it. Name the file in it"
        )
    declared, namespace = read_declared(settings.clients), settings.namespace
    topics = declared_topics(namespace, declared.clients, _BROKERS)
    rights = acls(namespace, declared, groups_of(namespace))
    sys.stdout.write(_HEAD + as_yaml(resources(topics, rights, cluster)))
