"""Draws what `runpod-query bench --json` and alternatives.py measured, as SVG.

Any number of documents go into the same two plots, OUT/latency.svg and
OUT/throughput.svg:

    python benches/plot.py fp32.json int8.json alternatives.json --out docs

Nothing but Python is needed. The background is transparent and the colours are mid-tones,
so that the plots can be read on white and on black alike.
"""

import argparse
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

COLOURS = ("#2f7fc1", "#d9730d", "#2c9a60", "#9a6dd7", "#d1495b", "#8a8d2c")
INK = "#768390"
PANEL_WIDTH, PANEL_HEIGHT = 380, 280
LEFT, TOP, BOTTOM, GAP = 64, 40, 52, 84
LEGEND_LINE = 18
QUERY_TOKENS = 12
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
            legend.append(
                (series.colour, "6 5", f"floor of {series.label}: reading all weights once")
            )
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


def subjects(paths: list[Path]) -> list[dict]:
    """Every measured program of the documents: its label, colour and measurements."""
    found: list[dict] = []
    for path in paths:
        document = json.loads(path.read_text())
        found += document.get("alternatives") or [document]
    for place, subject in enumerate(found):
        model = subject.get("model") or {}
        subject.setdefault("label", f"runpod-query {model.get('precision', '')}".strip())
        subject["colour"] = COLOURS[place % len(COLOURS)]
    return found


def latency(measured: list[dict]) -> list[Panel]:
    series = [
        Series(
            subject["label"],
            subject["colour"],
            [(entry["tokens"], entry["p50_milliseconds"]) for entry in subject["latency"]],
            subject.get("floor_milliseconds"),
        )
        for subject in measured
    ]
    heights = [point[1] for each in series for point in each.points]
    heights += [each.floor for each in series if each.floor is not None]
    x = counts("tokens of the text", (point[0] for each in series for point in each.points))
    y = logarithmic("milliseconds, median", heights, (1, 2, 5))
    return [Panel("Time of one text", x, y, series)]


def throughput(measured: list[dict]) -> list[Panel]:
    def panel(title: str, unit: str, field: str, queries: bool) -> Panel | None:
        def points(subject: dict) -> list[Point]:
            return [
                (entry["clients"], entry[field])
                for entry in subject["throughput"]
                if (entry["longest_tokens"] == QUERY_TOKENS) == queries
            ]

        series = [Series(each["label"], each["colour"], points(each)) for each in measured]
        series = [each for each in series if each.points]
        values = [point for each in series for point in each.points]
        if not values:
            return None
        x = counts("clients at a time", (point[0] for point in values))
        return Panel(title, x, linear(unit, [point[1] for point in values]), series)

    panels = [
        panel(f"Texts of {QUERY_TOKENS} tokens", "texts per second", "texts_per_second", True),
        panel("Texts of mixed length", "tokens per second", "tokens_per_second", False),
    ]
    return [each for each in panels if each]


def main() -> None:
    parser = argparse.ArgumentParser(description="Plot measurements as SVG.")
    parser.add_argument("documents", type=Path, nargs="+", help="JSON documents to plot together")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the plots")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    measured = subjects(arguments.documents)
    for name, panels in (("latency", latency(measured)), ("throughput", throughput(measured))):
        (arguments.out / f"{name}.svg").write_text(svg(panels))


if __name__ == "__main__":
    main()
