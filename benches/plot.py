"""Draws what `runpod-query bench --json` measured, and the alternatives of compare.py, as SVG.

Any number of documents go into the same two plots, OUT/latency.svg and
OUT/throughput.svg:

    python benches/plot.py fp32.json int8.json comparison.json --out docs

Nothing but Python is needed.
"""

import argparse
import json
from pathlib import Path

from charts import COLOURS, Panel, Point, Series, counts, linear, logarithmic, svg

QUERY_TOKENS = 12


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
