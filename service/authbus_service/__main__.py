"""`python -m authbus_service` is `authbus`."""

from authbus_service.cli import main

if __name__ == "__main__":
    main()
