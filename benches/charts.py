"""Charts as SVG: panels with axes and lines, side by side, above one legend.

Nothing but Python is needed. The background is transparent and the colours are mid-tones,
so that the charts can be read on white and on black alike.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

COLOURS = (
    "#2f7fc1",
    "#d9730d",
    "#2c9a60",
    "#9a6dd7",
    "#d1495b",
    "#8a8d2c",
    "#1f9aa5",
    "#b0667f",
    "#7d7f86",
)
INK = "#768390"
PANEL_WIDTH, PANEL_HEIGHT = 380, 280
LEFT, TOP, BOTTOM, GAP = 64, 40, 52, 84
LEGEND_LINE = 18
Point = tuple[float, float]


@dataclass
class Series:
    """One line of a panel; a floor is drawn across the panel at a height of its own."""

    label: str
    colour: str
    points: list[Point]
    floor: float | None = None


@dataclass
class Axis:
    """What is drawn along one side of a panel, and where values fall on it."""

    label: str
    ticks: list[float]
    logarithmic: bool

    def share(self, value: float) -> float:
        """0 at the first tick, 1 at the last."""
        scale: Callable[[float], float] = math.log if self.logarithmic else float
        first, last = scale(self.ticks[0]), scale(self.ticks[-1])
        return (scale(value) - first) / (last - first)


@dataclass
class Panel:
    """One pair of axes and the lines between them."""

    title: str
    x: Axis
    y: Axis
    series: list[Series]

    def draw(self, left: float) -> Iterable[str]:
        yield text(left, TOP - 16, self.title, size=14, weight="bold")
        yield from self.draw_axes(left)
        for series in self.series:
            yield from self.draw_series(series, left)

    def place(self, point: Point, left: float) -> Point:
        x = left + self.x.share(point[0]) * PANEL_WIDTH
        return x, TOP + (1 - self.y.share(point[1])) * PANEL_HEIGHT

    def draw_axes(self, left: float) -> Iterable[str]:
        bottom = TOP + PANEL_HEIGHT
        for tick in self.y.ticks:
            _, y = self.place((self.x.ticks[0], tick), left)
            yield line((left, y), (left + PANEL_WIDTH, y), INK, opacity=0.25)
            yield text(left - 8, y + 4, number(tick), anchor="end")
        for tick in self.x.ticks:
            x, _ = self.place((tick, self.y.ticks[0]), left)
            yield line((x, bottom), (x, bottom + 5), INK)
            yield text(x, bottom + 20, number(tick), anchor="middle")
        yield line((left, bottom), (left + PANEL_WIDTH, bottom), INK)
        yield text(left + PANEL_WIDTH / 2, bottom + 40, self.x.label, anchor="middle")
        middle = TOP + PANEL_HEIGHT / 2
        turned = f'transform="rotate(-90 {left - 46:g} {middle:g})"'
        yield text(left - 46, middle, self.y.label, anchor="middle", extra=turned)

    def draw_series(self, series: Series, left: float) -> Iterable[str]:
        places = [self.place(point, left) for point in series.points]
        if len(places) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            yield f'<polyline points="{path}" fill="none" stroke="{series.colour}" stroke-width="2"/>'
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{series.colour}"/>'
        if series.floor is not None:
            _, y = self.place((self.x.ticks[0], series.floor), left)
            yield line((left, y), (left + PANEL_WIDTH, y), series.colour, width=2, dashes="6 5")


def line(
    start: Point,
    end: Point,
    colour: str,
    *,
    width: float = 1,
    opacity: float = 1,
    dashes: str = "none",
) -> str:
    ends = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    stroke = f'stroke="{colour}" stroke-width="{width:g}" stroke-opacity="{opacity:g}"'
    return f'<line {ends} {stroke} stroke-dasharray="{dashes}"/>'


def text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    size: int = 12,
    weight: str = "normal",
    extra: str = "",
) -> str:
    font = f'font-size="{size}" font-weight="{weight}" fill="{INK}" text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}" {font} {extra}>{escape(content)}</text>'


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


def svg(panels: list[Panel]) -> str:
    """The panels side by side, with one legend below them."""
    shown = [series for panel in panels for series in panel.series]
    labels: dict[str, Series] = {}
    for series in shown:
        labels.setdefault(series.label, series)
    legend: list[tuple[str, str, str]] = []
    for series in labels.values():
        legend.append((series.colour, "none", series.label))
        if series.floor is not None:
            legend.append((series.colour, "6 5", f"floor of {series.label}: reading all weights once"))
    width = LEFT + len(panels) * PANEL_WIDTH + (len(panels) - 1) * GAP + 20
    below = TOP + PANEL_HEIGHT + BOTTOM
    height = below + LEGEND_LINE * len(legend) + 8
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif">'
    parts = [opening]
    for place, panel in enumerate(panels):
        parts.extend(panel.draw(LEFT + place * (PANEL_WIDTH + GAP)))
    for row, (colour, dashes, label) in enumerate(legend):
        y = below + 10 + LEGEND_LINE * row
        parts.append(line((LEFT, y), (LEFT + 28, y), colour, width=2, dashes=dashes))
        parts.append(text(LEFT + 36, y + 4, label))
    return "\n".join([*parts, "</svg>", ""])


def logarithmic(label: str, values: list[float], steps: tuple[int, ...]) -> Axis:
    """Ticks at `steps` times powers of ten, from below the smallest value to above the largest."""
    exponents = range(-3, 8)
    candidates = [step * 10.0**exponent for exponent in exponents for step in steps]
    below = [tick for tick in candidates if tick <= min(values)][-1]
    above = next(tick for tick in candidates if tick >= max(values))
    last = above if above > below else candidates[candidates.index(below) + 1]
    return Axis(label, [tick for tick in candidates if below <= tick <= last], True)


def linear(label: str, values: list[float]) -> Axis:
    """A handful of round ticks from zero."""
    largest = max(values)
    power = 10 ** math.floor(math.log10(largest))
    step = next(step * power / 10 for step in (2, 5, 10, 20) if step * power / 10 * 6 >= largest)
    return Axis(label, [step * index for index in range(math.ceil(largest / step) + 1)], False)


def counts(label: str, values: Iterable[float]) -> Axis:
    """A logarithmic axis whose ticks are the measured values themselves."""
    ticks = sorted(set(values))
    return Axis(label, ticks if len(ticks) > 1 else [*ticks, 2 * ticks[-1]], True)
