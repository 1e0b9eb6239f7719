"""A look-up that was answered: what the inbox keeps of it, in place of what was shown."""

from authbus.message import Reply


class Seen(Reply):
    """Something was shown. Nobody is sent this: asked again, it is looked up again."""
