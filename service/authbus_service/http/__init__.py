"""HTTP beside the service: is it alive, is it ready, which keys sign. No command comes here."""

from authbus_service.http.routes import Probes, Readiness, application
from authbus_service.http.server import HttpServer, PortError

__all__ = ["HttpServer", "PortError", "Probes", "Readiness", "application"]
