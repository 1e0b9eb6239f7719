"""SVG as text: a card with its own background, so that it reads on light and on dark pages."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

SANS = "ui-sans-serif, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
INK, PALE, LINE, CARD = "#1f2933", "#66727f", "#d5dce3", "#ffffff"


@dataclass
class Card:
    """A picture of this size; `title` is what a screen reader says."""

    width: float
    height: float
    title: str
    background: str = CARD
    border: str = LINE
    parts: list[str] = field(default_factory=list[str])

    def text(self, x: float, y: float, words: str, **look: object) -> None:
        """One line; without `fill` and `size` in the usual ones."""
        self.tag("text", escape(words), **{"x": x, "y": y, "fill": INK, "font_size": 13, **look})

    def line(self, x1: float, y1: float, x2: float, y2: float, **look: object) -> None:
        """A straight one."""
        self.tag("line", **{"x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke": LINE, **look})

    def box(self, x: float, y: float, width: float, height: float, **look: object) -> None:
        """A rectangle."""
        self.tag("rect", **{"x": x, "y": y, "width": width, "height": height, **look})

    def path(self, points: Iterable[tuple[float, float]], **look: object) -> None:
        """A line from point to point."""
        places = " L".join(f"{_plain(x)} {_plain(y)}" for x, y in points)
        self.tag("path", d=f"M{places}", **{"fill": "none", **look})

    def arrow(self, x1: float, x2: float, y: float, colour: str) -> None:
        """A level one with a head at its end."""
        back = -7 if x2 > x1 else 7
        self.line(x1, y, x2 + back / 2, y, stroke=colour, stroke_width=1.6)
        head = [(x2 + back, y - 4), (x2, y), (x2 + back, y + 4)]
        self.path([*head, head[0]], fill=colour, stroke="none")

    def tag(self, name: str, inside: str = "", /, **attributes: object) -> None:
        """Any element."""
        told = "".join(
            f" {key.replace('_', '-')}={quoteattr(_plain(value))}"
            for key, value in attributes.items()
        )
        self.parts.append(f"<{name}{told}>{inside}</{name}>" if inside else f"<{name}{told}/>")

    def __str__(self) -> str:
        """The whole file."""
        size = f'width="{_plain(self.width)}" height="{_plain(self.height)}"'
        view = f'viewBox="0 0 {_plain(self.width)} {_plain(self.height)}"'
        edge = (
            f'<rect x="0.5" y="0.5" width="{_plain(self.width - 1)}" '
            f'height="{_plain(self.height - 1)}" rx="10" fill="{self.background}" '
            f'stroke="{self.border}"/>'
        )
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img"'
        lines = [
            f'{head} font-family="{SANS}">',
            f"<title>{escape(self.title)}</title>",
            edge,
            *self.parts,
            "</svg>",
        ]
        return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    """A number without noise."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
