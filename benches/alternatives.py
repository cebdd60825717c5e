"""Measures what else could turn the same texts into vectors, on the same checkpoint.

- sentence-transformers on PyTorch, as its documentation shows it;
- ONNX Runtime on the graph that torch.onnx.export writes (torch_onnx_export.py): the
  session alone, without tokenization.

Both run in this process, one after the other, without any server: one text at a time, and
all of a batch at once. The document has the field names of
`runpod-query bench --json`, and goes to its --baseline and to plot.py:

    python benches/alternatives.py CHECKPOINT --onnx model.onnx > alternatives.json
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Tokenizer

FORMAT = 2
QUERY_TOKENS = 12
LATENCY_TOKENS = (4, QUERY_TOKENS, 32, 128, 512)
BATCHES = ((32, QUERY_TOKENS), (32, 128))
LEAST_SAMPLES, MOST_SAMPLES = 5, 200
DISTINCT_BATCHES = 4
Prepare = Callable[[list[str]], Any]
Encode = Callable[[Any], object]

WORDS = (
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "it",
    "for",
    "on",
    "that",
    "with",
    "as",
    "was",
    "are",
)


class Alternative(NamedTuple):
    """What is prepared before the measurement, and what is measured."""

    prepare: Prepare
    encode: Encode


class Texts:
    """Generated texts of a given number of tokens, including special tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.special = 2 * self.count("a") - self.count("a a")
        lengths = {word: self.count(word) - self.special for word in WORDS}
        shortest = min(lengths.values())
        self.words = [word for word, length in lengths.items() if length == shortest]
        self.length = shortest
        self.generator = np.random.default_rng(0)

    def count(self, text: str) -> int:
        return len(self.tokenizer.encode(text).ids)

    def make(self, tokens: int) -> str:
        words = max(1, (tokens - self.special) // self.length)
        return " ".join(self.generator.choice(self.words, words))


def sentence_transformers(checkpoint: Path, threads: int) -> Alternative:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(checkpoint), device="cpu")

    def encode(texts: list[str]) -> object:
        return model.encode(texts, batch_size=len(texts), show_progress_bar=False)

    return Alternative(list, encode)


def onnx_runtime(graph: Path, tokenizer: Tokenizer, threads: int) -> Alternative:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def prepare(texts: list[str]) -> dict[str, np.ndarray]:
        ids = np.array([each.ids for each in tokenizer.encode_batch(texts)], dtype=np.int64)
        return {"input_ids": ids, "attention_mask": np.ones_like(ids)}

    return Alternative(prepare, lambda feeds: session.run(["dense_vecs"], feeds))


def sample(encode: Encode, batches: list[Any], seconds: float) -> list[float]:
    """Milliseconds of each call, after a warm-up call."""
    encode(batches[0])
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < LEAST_SAMPLES or (
        len(times) < MOST_SAMPLES and time.perf_counter() - begin < seconds
    ):
        start = time.perf_counter()
        encode(batches[len(times) % len(batches)])
        times.append(1000 * (time.perf_counter() - start))
    return times


def describe_latency(tokens: int, times: list[float]) -> dict:
    p50, p95, p99 = (float(np.percentile(times, percent)) for percent in (50, 95, 99))
    return {
        "tokens": tokens,
        "samples": len(times),
        "errors": 0,
        "p50_milliseconds": p50,
        "p95_milliseconds": p95,
        "p99_milliseconds": p99,
    }


def describe_throughput(times: list[float]) -> dict:
    """One query after another."""
    seconds = sum(times) / 1000
    return {
        "shortest_tokens": QUERY_TOKENS,
        "longest_tokens": QUERY_TOKENS,
        "clients": 1,
        "samples": len(times),
        "errors": 0,
        "seconds": seconds,
        "texts_per_second": len(times) / seconds,
        "tokens_per_second": QUERY_TOKENS * len(times) / seconds,
        "p50_milliseconds": statistics.median(times),
        "p99_milliseconds": float(np.percentile(times, 99)),
    }


def describe_batch(texts: int, tokens: int, times: list[float]) -> dict:
    median = statistics.median(times)
    return {
        "texts": texts,
        "tokens": tokens,
        "samples": len(times),
        "errors": 0,
        "p50_milliseconds": median,
        "texts_per_second": 1000 * texts / median,
    }


def measure(alternative: Alternative, texts: Texts, longest: int, seconds: float) -> dict:
    def times(count: int, tokens: int) -> list[float]:
        print(f"measuring: {count} x {tokens} tokens", file=sys.stderr)
        made = ([texts.make(tokens) for _ in range(count)] for _ in range(DISTINCT_BATCHES))
        return sample(alternative.encode, [alternative.prepare(each) for each in made], seconds)

    single = {tokens: times(1, tokens) for tokens in LATENCY_TOKENS if tokens <= longest}
    batches = [(count, tokens) for count, tokens in BATCHES if tokens <= longest]
    return {
        "latency": [describe_latency(tokens, each) for tokens, each in single.items()],
        "throughput": [describe_throughput(single[QUERY_TOKENS])],
        "batches": [describe_batch(*each, times(*each)) for each in batches],
    }


def longest_text(checkpoint: Path) -> int:
    return json.loads((checkpoint / "sentence_bert_config.json").read_text())["max_seq_length"]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure alternatives on the same checkpoint.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("checkpoint", type=Path, help="directory of a Hugging Face checkpoint")
    parser.add_argument("--onnx", type=Path, help="graph that torch_onnx_export.py made from it")
    parser.add_argument("--threads", type=int, default=2, help="threads of a pass")
    parser.add_argument("--seconds", type=float, default=10, help="time for each measurement")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    tokenizer = Tokenizer.from_file(str(arguments.checkpoint / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    texts = Texts(tokenizer)
    longest = longest_text(arguments.checkpoint)
    alternatives = []
    if arguments.onnx:
        onnx = onnx_runtime(arguments.onnx, tokenizer, arguments.threads)
        alternatives.append(
            {
                "name": "onnxruntime-torch-export",
                "label": "ONNX Runtime on torch.onnx.export (session only)",
                **measure(onnx, texts, longest, arguments.seconds),
            }
        )
        # Its idle threads would compete with the next measurement.
        del onnx
    pytorch = sentence_transformers(arguments.checkpoint, arguments.threads)
    alternatives.append(
        {
            "name": "sentence-transformers-pytorch",
            "label": "sentence-transformers on PyTorch (no server)",
            **measure(pytorch, texts, longest, arguments.seconds),
        }
    )
    json.dump({"format": FORMAT, "alternatives": alternatives}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
