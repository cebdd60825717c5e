"""Measures what each set of outputs costs, with an older program in turns.

Every program serves its own export of the same checkpoint with heads. Requests go one at a time, to each server in turn.

    python benches/outputs.py NEW_PROGRAM NEW_MODEL OLD_PROGRAM OLD_MODEL

Heads with random weights for the checkpoint of `runpod-query bench --synthetic bge-m3` come from

    python benches/outputs.py --make-heads CHECKPOINT
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from comparison.own_server import OwnServer

HIDDEN = 1024
# In tokens, special tokens included.
LENGTHS = (12, 128)
ROUNDS = {12: 60, 128: 10}
WORDS = "the of and to in is it for on that with as was are".split()
OUTPUTS = {"dense": ["dense"], "dense_sparse": ["dense", "sparse"], "all": ["dense", "sparse", "colbert"]}


def make_heads(checkpoint: Path) -> None:
    """Writes the two files of heads."""
    import torch

    torch.manual_seed(1)
    for name, outputs in (("sparse_linear", 1), ("colbert_linear", HIDDEN)):
        torch.save(torch.nn.Linear(HIDDEN, outputs).half().state_dict(), checkpoint / f"{name}.pt")


def milliseconds(server: OwnServer, text: str, outputs: list[str] | None) -> float:
    """The time of one request."""
    fields = {"query": text} | ({"outputs": outputs, "encoding_format": "base64"} if outputs else {})
    seconds, _ = server.post({"input": fields})
    return 1000 * seconds


def text(tokens: int, number: int) -> str:
    """A text that no other request has."""
    return " ".join(WORDS[(number * 7 + index * (number + 3)) % len(WORDS)] for index in range(tokens - 2))


def measure(new: OwnServer, old: OwnServer) -> dict:
    document = {"idle_mb": {"old": old.resident_bytes() / 1e6, "new": new.resident_bytes() / 1e6}}
    calls = {"old": (old, None), "new": (new, None)} | {name: (new, outputs) for name, outputs in OUTPUTS.items()}
    for tokens in LENGTHS:
        times = {name: [] for name in calls}
        for number in range(ROUNDS[tokens]):
            for name, (server, outputs) in calls.items():
                times[name].append(milliseconds(server, text(tokens, number), outputs))
        document[f"{tokens}_tokens_ms"] = {name: round(statistics.median(values), 2) for name, values in times.items()}
    return document


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what outputs cost.")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--make-heads", action="store_true")
    arguments = parser.parse_args()
    if arguments.make_heads:
        return make_heads(Path(arguments.paths[0]))
    new_program, new_model, old_program, old_model = arguments.paths
    new = OwnServer(Path(new_program), Path(new_model))
    old = OwnServer(Path(old_program), Path(old_model), has_cache=False)
    try:
        json.dump(measure(new, old), sys.stdout, indent=1)
    finally:
        new.stop()
        old.stop()


if __name__ == "__main__":
    main()
