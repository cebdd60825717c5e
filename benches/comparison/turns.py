"""The measurement: every candidate gets the same call in turn, again and again.

Whatever else slows the machine down hits all candidates of a round. So ratios of medians are what to look at.
"""

import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from comparison.candidates import CandidateError
from comparison.workload import Call, Case, Texts

WARM_UP_ROUNDS = 2


class Answerer(Protocol):
    """A candidate that is loaded, whatever process it runs in."""

    def call(self, call: Call) -> tuple[float, np.ndarray]:
        """Seconds of a call, and its vectors."""


@dataclass(frozen=True)
class Bounds:
    """How many rounds count: at least and at most a number, and no new one after some seconds."""

    least: int
    most: int
    seconds: float
    # Threads of the last candidate that still spin must not take the processor from the next one.
    pause_seconds: float = 0.03

    def wants_more(self, rounds: int, elapsed: float) -> bool:
        return rounds < self.least or (rounds < self.most and elapsed < self.seconds)


@dataclass
class Turns:
    """What one group of candidates did, by name."""

    milliseconds: dict[str, dict[Case, list[float]]] = field(default_factory=dict)
    least_cosine: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def medians(self, name: str) -> dict[Case, float]:
        return {case: statistics.median(times) for case, times in self.milliseconds[name].items()}


def measure(answerers: dict[str, Answerer], reference: str, texts: Texts, cases: Iterable[Case], bounds: Bounds) -> Turns:
    """Times every candidate, and compares its vectors with those of `reference`."""
    turns = Turns(milliseconds={name: {} for name in answerers})
    running = dict(answerers)
    for case in cases:
        print(f"measuring: {case} tokens", file=sys.stderr, flush=True)
        calls = texts.calls(case)
        for _ in range(WARM_UP_ROUNDS):
            answers = one_round(running, next(calls), bounds.pause_seconds, turns)
            compare({name: vectors for name, (_, vectors) in answers.items()}, reference, turns)
        begin = time.perf_counter()
        rounds = 0
        while bounds.wants_more(rounds, time.perf_counter() - begin):
            answers = one_round(rotated(running, rounds), next(calls), bounds.pause_seconds, turns)
            for name, (seconds, _) in answers.items():
                turns.milliseconds[name].setdefault(case, []).append(1000 * seconds)
            rounds += 1
    return turns


def rotated(answerers: dict[str, Answerer], by: int) -> dict[str, Answerer]:
    """The same in another order, so that nobody is always the first."""
    names = list(answerers)
    first = by % len(names)
    return {name: answerers[name] for name in names[first:] + names[:first]}


def one_round(
    answerers: dict[str, Answerer], call: Call, pause_seconds: float, turns: Turns
) -> dict[str, tuple[float, np.ndarray]]:
    """Seconds and vectors of each; one that fails has no more turns."""
    answers = {}
    for name, answerer in answerers.items():
        if name in turns.failures:
            continue
        time.sleep(pause_seconds)
        try:
            answers[name] = answerer.call(call)
        except CandidateError as error:
            turns.failures[name] = str(error)
    return answers


def compare(vectors: dict[str, np.ndarray], reference: str, turns: Turns) -> None:
    """Keeps the least cosine of each candidate's vectors with the reference's for the same texts."""
    expected = vectors[reference].astype(np.float64)
    for name, each in vectors.items():
        each = each.astype(np.float64)
        norms = np.linalg.norm(each, axis=1) * np.linalg.norm(expected, axis=1)
        least = float(np.min(np.sum(each * expected, axis=1) / norms))
        turns.least_cosine[name] = min(least, turns.least_cosine.get(name, 1.0))
