"""What is wrong with the settings."""


class ConfigError(RuntimeError):
    """The settings cannot be used. The text says which and why, and repeats no value."""
