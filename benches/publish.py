"""Writes a comparison into the documentation: the tables of docs/measuring.md and two pictures.

    python benches/publish.py            # after compare.py
    python benches/publish.py --check    # fails if the documentation says something else than the document

Nothing but Python is needed. The tables stand between two markers, and nothing else of the page is touched.
"""

import argparse
import json
import sys
from pathlib import Path

from charts import COLOURS, Panel, Series, counts, linear, logarithmic, svg

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENT = REPOSITORY / "benches/figures/comparison.json"
PAGE = REPOSITORY / "docs/measuring.md"
PICTURES = {
    "comparison-lengths.svg": "Time of one text by its length, and divided by ours",
    "comparison-batches.svg": "Texts per second of a batch, and its time divided by ours",
}
# What the page says before a run is kept.
UNMEASURED = "No run of this version on a quiet machine is kept yet."
MARKERS = ("<!-- comparison: begin -->", "<!-- comparison: end -->")
QUERY_TOKENS = 12
# Ours in the precision that is compared in the pictures: the first of these that was measured.
COMPARED = ("runpod-query-fp16", "runpod-query-fp32")
Cases = dict[tuple[int, int], float]


def medians(candidate: dict) -> Cases:
    """Milliseconds by texts and tokens."""
    single = {(1, entry["tokens"]): entry["p50_milliseconds"] for entry in candidate["latency"]}
    return single | {(entry["texts"], entry["tokens"]): entry["p50_milliseconds"] for entry in candidate["batches"]}


def ratios(candidate: dict, own: dict) -> Cases:
    """The candidate's medians divided by those of one of ours, from the same rounds where both had turns together."""
    entries = {(entry.get("texts", 1), entry["tokens"]): entry for entry in candidate["latency"] + candidate["batches"]}
    ours = medians(own)
    return {
        case: entry["ratios"].get(own["name"], entry["p50_milliseconds"] / ours[case]) for case, entry in entries.items()
    }


def compared(document: dict) -> dict:
    own = {each["name"]: each for each in document["own"]}
    return next(own[name] for name in COMPARED if name in own)


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    return [row(headings), row(["---"] * len(headings)), *map(row, rows)]


def number(value: float) -> str:
    """Three digits, as far as there are so many."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def case_name(case: tuple[int, int]) -> str:
    return f"{case[0]} x {case[1]}"


def times(document: dict) -> list[str]:
    candidates = document["own"] + document["alternatives"]
    cases = list(medians(document["own"][0]))
    rows = []
    for candidate in candidates:
        measured = medians(candidate)
        start = candidate.get("start_seconds", candidate.get("load_seconds"))
        rest = [f"{candidate['resident_bytes'] / 1e9:.1f}", number(start), cosine(candidate["least_cosine_with_fp32"])]
        rows.append([candidate["label"], *(number(measured[case]) for case in cases), *rest])
    headings = ["texts x tokens, ms", *map(case_name, cases), "memory, GB", "load, s", "least cosine"]
    return table(headings, rows)


def cosine(value: float) -> str:
    """Rounded down, so that 1 means 1."""
    digits = 6
    return f"{int(value * 10**digits + 1e-3) / 10**digits:.{digits}f}"


def multiples(document: dict) -> list[str]:
    cases = list(medians(document["own"][0]))
    rows = []
    for candidate in document["alternatives"]:
        against = [ratios(candidate, own) for own in document["own"]]
        rows.append([candidate["label"], *(" / ".join(number(each[case]) for each in against) for case in cases)])
    precisions = " / ".join(own["precision"] for own in document["own"])
    return table([f"times as long as ours in {precisions}", *map(case_name, cases)], rows)


def facts(document: dict) -> list[str]:
    machine = document["machine"]
    versions = {name: version for each in document["alternatives"] for name, version in each["packages"].items()}
    samples = [entry["samples"] for each in document["own"] for entry in each["latency"] + each["batches"]]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    sets, gigabytes = ", ".join(machine["instruction_sets"]), machine["memory_bytes"] / 1e9
    processors = f"{machine['logical_processors']} hardware threads with {sets}"
    least, most = min(samples), max(samples)
    rounds = f"{least} to {most} rounds" if least < most else f"{least} rounds"
    lines = [
        f"- The machine: {machine['processor']}, {processors}, {gigabytes:.0f} GB.",
        f"- Each candidate has {document['threads']} threads.",
        f"- The run: {document['date']}, {document['program']}, {document['model']}, medians of {rounds}.",
        f"- The packages: {packages}.",
    ]
    if document.get("note"):
        lines.append(f"- Note: {document['note']}")
    different = [candidate["label"] for candidate in document["alternatives"] if candidate["agrees"] is False]
    lines += [f"- {label} does **not** give the same vectors as ours, so its times mean nothing." for label in different]
    lines += [f"- Not measured: {each['label']}. {each['reason'].rstrip('.')}." for each in document["unavailable"]]
    return lines


def section(document: dict) -> str:
    pictures = [f"![{title}]({file})" for file, title in PICTURES.items()]
    return "\n".join([*pictures, "", *times(document), "", *multiples(document), "", *facts(document)])


def lines_of(document: dict, batches: bool) -> tuple[list[Series], list[Series]]:
    """Milliseconds by length, or texts per second by texts of a call; and the multiples of ours."""
    own = compared(document)
    absolute, multiple = [], []
    for place, candidate in enumerate(document["own"] + document["alternatives"]):
        colour = COLOURS[place % len(COLOURS)]
        chosen = [case for case in medians(candidate) if (case[1] == QUERY_TOKENS if batches else case[0] == 1)]
        measured, against = medians(candidate), ratios(candidate, own)
        points = [
            (case[0], 1000 * case[0] / measured[case]) if batches else (case[1], measured[case]) for case in sorted(chosen)
        ]
        absolute.append(Series(candidate["label"], colour, points))
        multiple.append(
            Series(candidate["label"], colour, [(case[0 if batches else 1], against[case]) for case in sorted(chosen)])
        )
    return absolute, multiple


def picture(document: dict, batches: bool) -> str:
    absolute, multiple = lines_of(document, batches)
    label = "texts of a call" if batches else "tokens of the text"
    x = counts(label, (point[0] for each in absolute for point in each.points))
    heights = [point[1] for each in absolute for point in each.points]
    if batches:
        title, y = f"Texts of {QUERY_TOKENS} tokens in one call", linear("texts per second", heights)
    else:
        title, y = "Time of one text", logarithmic("milliseconds, median", heights, (1, 2, 5))
    quotients = linear(
        f"times as long as {compared(document)['label']}", [point[1] for each in multiple for point in each.points]
    )
    return svg([Panel(title, x, y, absolute), Panel("Time divided by ours", x, quotients, multiple)])


def replaced(page: str, text: str) -> str:
    """The page with the text between the markers."""
    before, found, rest = page.partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    if not (found and end):
        raise ValueError(f"the page has no {MARKERS[0]} and {MARKERS[1]}")
    return f"{before}{found}\n{text}\n{end}{after}"


def pages(path: Path) -> dict[Path, str]:
    """What the files of the documentation must hold."""
    if not path.is_file():
        return {PAGE: replaced(PAGE.read_text(), UNMEASURED)}
    document = json.loads(path.read_text())
    return {
        PAGE: replaced(PAGE.read_text(), section(document)),
        **{PAGE.with_name(file): picture(document, "batches" in file) for file in PICTURES},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Write a comparison into the documentation.")
    parser.add_argument("document", type=Path, nargs="?", default=DOCUMENT)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")
    arguments = parser.parse_args()
    if arguments.document != DOCUMENT and not arguments.document.is_file():
        parser.error(f"{arguments.document} does not exist; benches/compare.py writes it")
    written = pages(arguments.document)
    if arguments.check:
        stale = [path.name for path, text in written.items() if not path.is_file() or path.read_text() != text]
        if stale:
            print(
                f"error: not what {arguments.document.name} says, run benches/publish.py: {', '.join(stale)}",
                file=sys.stderr,
            )
        return 1 if stale else 0
    for path, text in written.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
