"""Compares the latency and the output of two ONNX graphs of the same model.

Both get the same token ids, one text at a time. They are timed in turns (A, B, then
B, A, and so on), so that whatever else slows the machine down hits both; the ratio A/B
of the medians is what to look at, not the times themselves:

    python benches/compare_sessions.py A.onnx B.onnx --threads 2 --rounds 50

The graphs may take input_ids, attention_mask and token_type_ids, or some of them. The
output compared is dense_vecs, or else their first one.
"""

import argparse
import gc
import statistics
import time
from pathlib import Path

import numpy as np

from comparison.onnx_session import open_session

WARM_UP_ROUNDS = 3
SEED = 0
# Special tokens have ids below 4 in XLM-RoBERTa, and every vocabulary holds these.
LOWEST_ID, HIGHEST_ID = 4, 500
Times = dict[int, list[float]]
Vectors = dict[int, np.ndarray]


class Graph:
    """A loaded graph, with all that was measured of it."""

    def __init__(self, path: Path, threads: int) -> None:
        self.session = open_session(path, threads)
        self.inputs = {each.name: each.type for each in self.session.get_inputs()}
        outputs = [each.name for each in self.session.get_outputs()]
        self.output = "dense_vecs" if "dense_vecs" in outputs else outputs[0]
        self.seconds: Times = {}
        self.vectors: Vectors = {}

    def run(self, token_ids: np.ndarray) -> None:
        """Times one text and keeps the time and the vector."""
        feeds = self.feeds(token_ids)
        start = time.perf_counter()
        [vectors] = self.session.run([self.output], feeds)
        elapsed = time.perf_counter() - start
        self.seconds.setdefault(token_ids.size, []).append(elapsed)
        self.vectors[token_ids.size] = vectors.ravel()

    def feeds(self, token_ids: np.ndarray) -> dict[str, np.ndarray]:
        values = {
            "input_ids": token_ids,
            "attention_mask": np.ones_like(token_ids),
            "token_type_ids": np.zeros_like(token_ids),
        }
        kinds = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}
        return {name: values[name].astype(kinds[kind]) for name, kind in self.inputs.items()}

    def unload(self) -> None:
        """Frees the session and keeps the measurements."""
        del self.session
        gc.collect()


def random_texts(token_counts: list[int]) -> list[np.ndarray]:
    generator = np.random.default_rng(SEED)
    return [generator.integers(LOWEST_ID, HIGHEST_ID, (1, count)) for count in token_counts]


def measure(graphs: list[Graph], texts: list[np.ndarray], rounds: int) -> None:
    """Runs every text on every graph in turn, after some rounds that do not count."""
    for done in range(WARM_UP_ROUNDS + rounds):
        if done == WARM_UP_ROUNDS:
            for graph in graphs:
                graph.seconds.clear()
        for text in texts:
            for graph in graphs if done % 2 == 0 else reversed(graphs):
                graph.run(text)


def load_and_measure(arguments: argparse.Namespace) -> tuple[Graph, Graph]:
    texts = random_texts(arguments.tokens)
    if not arguments.sequential:
        a, b = (Graph(path, arguments.threads) for path in (arguments.a, arguments.b))
        measure([a, b], texts, arguments.rounds)
        return a, b
    measured = []
    for path in (arguments.a, arguments.b):
        graph = Graph(path, arguments.threads)
        measure([graph], texts, arguments.rounds)
        graph.unload()
        measured.append(graph)
    return measured[0], measured[1]


def report(a: Graph, b: Graph) -> None:
    print("tokens   A median   B median     A/B   max abs diff   1 - cosine")
    for count in a.seconds:
        milliseconds = [1000 * statistics.median(graph.seconds[count]) for graph in (a, b)]
        left, right = (graph.vectors[count].astype(np.float64) for graph in (a, b))
        difference = np.abs(left - right).max()
        cosine = left @ right / (np.linalg.norm(left) * np.linalg.norm(right))
        print(
            f"{count:6} {milliseconds[0]:7.2f} ms {milliseconds[1]:7.2f} ms "
            f"{milliseconds[0] / milliseconds[1]:7.3f} {difference:14.2e} {1 - cosine:12.2e}"
        )


def token_counts(value: str) -> list[int]:
    return sorted({int(count) for count in value.split(",")})


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Compare two ONNX graphs of the same model.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("a", type=Path, metavar="A.onnx", help="first graph")
    parser.add_argument("b", type=Path, metavar="B.onnx", help="second graph")
    parser.add_argument("--threads", type=int, default=2, help="threads within an operator")
    parser.add_argument("--rounds", type=int, default=30, help="rounds that count")
    parser.add_argument("--tokens", type=token_counts, default="4,12,32,128", help="lengths of the texts")
    parser.add_argument(
        "--sequential",
        action="store_true",
        help="load one graph after the other, where memory cannot hold both (not in turns then)",
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    report(*load_and_measure(arguments))


if __name__ == "__main__":
    main()
