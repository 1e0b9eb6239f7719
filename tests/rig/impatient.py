"""`authbus` as it is, but that it waits only so long for a lost Kafka: a module to be run."""

from authbus_service.cli import main
from authbus_service.cluster import patience

if __name__ == "__main__":
    patience.SECONDS = 2.0
    main()
