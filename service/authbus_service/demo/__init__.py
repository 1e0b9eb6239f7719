"""`authbus demo`: a producer and a downstream module beside a real service, watched on Kafka."""

from authbus_service.demo.show import show

__all__ = ["show"]
