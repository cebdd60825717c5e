"""The JSON document of a comparison.

Its lists have the field names of `runpod-query bench --json`, whose `--baseline` reads it, too. Milliseconds are medians;
`ratios` are a candidate's median divided by ours in the same rounds, so more than 1 means slower than ours.
"""

import statistics
from dataclasses import dataclass, field

import numpy as np

from comparison.candidates import Kind
from comparison.turns import Turns
from comparison.workload import QUERY_TOKENS, Case

FORMAT = 2
# Least cosine with our fp32 of a candidate that computes in fp32, too.
SAME_VECTOR = 0.9999


def own_name(precision: str) -> str:
    """What our server with a model in this precision is called in the document."""
    return f"runpod-query-{precision}"


def own_label(precision: str) -> str:
    """What people read instead."""
    return f"runpod-query {precision}"


@dataclass
class Own:
    """One of our servers, over all groups."""

    precision: str
    start_seconds: float = 0.0
    resident_bytes: int = 0
    least_cosine: float = 1.0
    milliseconds: dict[Case, list[float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return own_name(self.precision)

    def add(self, turns: Turns) -> None:
        self.least_cosine = min(self.least_cosine, turns.least_cosine[self.name])
        for case, times in turns.milliseconds[self.name].items():
            self.milliseconds.setdefault(case, []).extend(times)

    def describe(self) -> dict:
        return {
            "name": self.name,
            "label": own_label(self.precision),
            "precision": self.precision,
            "start_seconds": round(self.start_seconds, 3),
            "resident_bytes": self.resident_bytes,
            "least_cosine_with_fp32": self.least_cosine,
            **describe_times(self.milliseconds, {}),
        }


@dataclass
class Alternative:
    """A candidate that answered every case."""

    kind: Kind
    load_seconds: float
    resident_bytes: int
    properties: dict[str, str]

    def describe(self, turns: Turns, own: list[Own]) -> dict:
        cosine = turns.least_cosine[self.kind.name]
        medians = {each.name: turns.medians(each.name) for each in own}
        return {
            "name": self.kind.name,
            "label": self.kind.label,
            "packages": self.kind.versions(),
            "properties": self.properties,
            "load_seconds": round(self.load_seconds, 3),
            "resident_bytes": self.resident_bytes,
            "computes_in_fp32": self.kind.is_fp32,
            "least_cosine_with_fp32": cosine,
            "agrees": cosine > SAME_VECTOR if self.kind.is_fp32 else None,
            **describe_times(turns.milliseconds[self.kind.name], medians),
        }


def describe_times(milliseconds: dict[Case, list[float]], own: dict[str, dict[Case, float]]) -> dict:
    """Single texts, batches, and the throughput of one query after another."""

    def ratios(case: Case, median: float) -> dict[str, float]:
        return {name: round(median / medians[case], 3) for name, medians in own.items()}

    latency, batches, throughput = [], [], []
    for case, times in milliseconds.items():
        median = statistics.median(times)
        entry = {"samples": len(times), "errors": 0, "p50_milliseconds": round(median, 3), "ratios": ratios(case, median)}
        if case.texts > 1:
            rate = round(1000 * case.texts / median, 2)
            batches.append({"texts": case.texts, "tokens": case.tokens, "texts_per_second": rate, **entry})
            continue
        high = {f"p{percent}_milliseconds": round(float(np.percentile(times, percent)), 3) for percent in (95, 99)}
        latency.append({"tokens": case.tokens, **entry, **high})
        if case.tokens == QUERY_TOKENS:
            throughput.append(one_after_another(times))
    return {"latency": latency, "throughput": throughput, "batches": batches}


def one_after_another(milliseconds: list[float]) -> dict:
    seconds = sum(milliseconds) / 1000
    return {
        "shortest_tokens": QUERY_TOKENS,
        "longest_tokens": QUERY_TOKENS,
        "clients": 1,
        "samples": len(milliseconds),
        "errors": 0,
        "seconds": round(seconds, 3),
        "texts_per_second": round(len(milliseconds) / seconds, 2),
        "tokens_per_second": round(QUERY_TOKENS * len(milliseconds) / seconds, 2),
        "p50_milliseconds": round(statistics.median(milliseconds), 3),
        "p99_milliseconds": round(float(np.percentile(milliseconds, 99)), 3),
    }
