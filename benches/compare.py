"""Measures other runtimes beside ours, on the same weights, call by call in turns.

Needs the packages of benches/requirements.txt and a release build:

    python benches/compare.py                       # about a quarter of an hour; the document
    python benches/publish.py                       # the table and the pictures of the documentation

The first run also writes a checkpoint of bge-m3's size with random weights and converts it for every runtime. That takes
some more minutes and about 11 GB in target/comparison. Ours is measured over HTTP, tokenization included; the others inside
a process, and only sentence-transformers with its tokenization. `--size small` tries all of it in a minute, for nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from comparison.candidates import KINDS, CandidateError, Kind, Models
from comparison.document import FORMAT, Alternative, Own, own_label, own_name
from comparison.own_server import OwnServer
from comparison.preparation import Preparation, PreparationError
from comparison.processes import available_bytes, machine
from comparison.turns import Bounds, Turns, measure
from comparison.worker import Worker
from comparison.workload import CASES, Call, Case, Texts

REPOSITORY = Path(__file__).resolve().parent.parent
REFERENCE = "fp32"
PRECISIONS = (REFERENCE, "fp16", "int8")
FULL = Bounds(least=5, most=60, seconds=90)
QUICK = Bounds(least=2, most=5, seconds=10)
QUICK_TOKENS = 128
# Memory that our servers and this process need, and room for a runtime that loads.
OWN_GIGABYTES = 5


class Ours:
    """One of our servers, as the measurement sees it."""

    def __init__(self, server: OwnServer) -> None:
        self.server = server

    def call(self, call: Call) -> tuple[float, np.ndarray]:
        seconds, vectors = self.server.embed(call.texts)
        return seconds, np.array(vectors, dtype=np.float32)


class Comparison:
    """One run: who is measured, and what became of everybody."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.preparation = Preparation(arguments.program, arguments.folder, arguments.size)
        self.checkpoint = self.preparation.checkpoint()
        self.texts = Texts(self.checkpoint)
        self.own: dict[str, Own] = {}
        self.servers: dict[str, OwnServer] = {}
        self.alternatives: list[dict] = []
        self.unavailable: list[dict] = []

    def run(self) -> None:
        models = self.preparation.models(self.checkpoint)
        try:
            self.start_own()
            for group in groups(self.arguments.kinds, available_bytes() / 1e9):
                self.measure_group(group, models)
        finally:
            for server in self.servers.values():
                server.stop()

    def start_own(self) -> None:
        directories = self.export_own()
        # A disk that still writes the exported files would delay the starts.
        os.sync()
        for precision, directory in directories.items():
            server = OwnServer(self.arguments.program, directory, "--threads", str(self.arguments.threads))
            own = Own(precision, start_seconds=server.start_seconds)
            self.servers[own.name] = server
            self.own[own.name] = own

    def export_own(self) -> dict[str, Path]:
        """Our model in each precision that can be exported."""
        directories = {}
        for precision in PRECISIONS:
            try:
                directories[precision] = self.preparation.own_model(self.checkpoint, precision)
            except PreparationError as error:
                if precision == REFERENCE:
                    raise
                self.leave_out(own_name(precision), own_label(precision), str(error))
        return directories

    def measure_group(self, kinds: list[Kind], models: Models) -> None:
        workers = self.start(kinds, models)
        answerers = {name: Ours(server) for name, server in self.servers.items()} | workers
        try:
            turns = measure(answerers, own_name(REFERENCE), self.texts, self.cases(), self.arguments.bounds)
            self.keep(workers, turns)
        finally:
            for worker in workers.values():
                worker.stop()

    def start(self, kinds: list[Kind], models: Models) -> dict[str, Worker]:
        workers = {}
        for kind in kinds:
            print(f"loading: {kind.label}", file=sys.stderr, flush=True)
            if reason := self.preparation.failures.get(kind.file):
                self.leave_out(kind.name, kind.label, reason)
                continue
            try:
                workers[kind.name] = Worker(kind, models, self.arguments.threads)
            except CandidateError as error:
                self.leave_out(kind.name, kind.label, str(error))
        return workers

    def keep(self, workers: dict[str, Worker], turns: Turns) -> None:
        own = list(self.own.values())
        for each in own:
            each.add(turns)
            each.resident_bytes = self.servers[each.name].resident_bytes()
        for name, worker in workers.items():
            if reason := turns.failures.get(name):
                self.leave_out(name, worker.kind.label, reason)
                continue
            loaded = worker.loaded
            alternative = Alternative(worker.kind, loaded.load_seconds, worker.resident_bytes(), loaded.properties)
            self.alternatives.append(alternative.describe(turns, own))

    def leave_out(self, name: str, label: str, reason: str) -> None:
        print(f"left out: {label}: {reason}", file=sys.stderr, flush=True)
        self.unavailable.append({"name": name, "label": label, "reason": reason})

    def cases(self) -> list[Case]:
        longest = json.loads((self.checkpoint / "sentence_bert_config.json").read_text())["max_seq_length"]
        if self.arguments.quick:
            longest = min(longest, QUICK_TOKENS)
        return [case for case in CASES if case.tokens <= longest]

    def document(self) -> dict:
        arguments = self.arguments
        version = subprocess.run([arguments.program, "--version"], capture_output=True, text=True, check=True)
        return {
            "format": FORMAT,
            "date": time.strftime("%Y-%m-%d"),
            "program": version.stdout.strip(),
            "model": f"{arguments.size}, random weights",
            "machine": machine(),
            "threads": arguments.threads,
            "note": arguments.note,
            "rounds": {"least": arguments.bounds.least, "most": arguments.bounds.most, "seconds": arguments.bounds.seconds},
            "own": [own.describe() for own in self.own.values()],
            "alternatives": self.alternatives,
            "unavailable": self.unavailable,
        }


def groups(kinds: Iterable[Kind], gigabytes: float) -> list[list[Kind]]:
    """Candidates that fit into memory together; each group is measured beside all of our servers."""
    room = gigabytes - OWN_GIGABYTES
    formed: list[list[Kind]] = []
    for kind in kinds:
        last = formed[-1] if formed else []
        if last and sum(each.gigabytes for each in last) + kind.gigabytes <= room:
            last.append(kind)
        else:
            formed.append([kind])
    return formed


def parse_arguments() -> argparse.Namespace:
    names = [kind.name for kind in KINDS]
    parser = argparse.ArgumentParser(
        description="Measure other runtimes beside ours.", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--program", type=Path, default=REPOSITORY / "target/release/runpod-query")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "target/comparison", help="for checkpoint and models")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "benches/figures/comparison.json")
    parser.add_argument("--size", choices=["bge-m3", "small"], default="bge-m3", help="small only tries the script")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of each candidate")
    parser.add_argument("--quick", action="store_true", help=f"a few rounds only, of at most {QUICK_TOKENS} tokens")
    parser.add_argument("--note", help="what a reader must know of this run")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    arguments = parser.parse_args()
    if not 1 <= arguments.threads <= os.cpu_count():
        parser.error(f"--threads is 1 to {os.cpu_count()}, the processors of this machine; given was {arguments.threads}")
    for path in ("program", "folder", "out"):
        setattr(arguments, path, getattr(arguments, path).resolve())
    if not arguments.program.is_file():
        parser.error(f"{arguments.program} does not exist; `cargo build --release` makes it")
    arguments.kinds = [kind for kind in KINDS if kind.name in arguments.only]
    arguments.bounds = QUICK if arguments.quick else FULL
    return arguments


def main() -> int:
    arguments = parse_arguments()
    comparison = Comparison(arguments)
    comparison.run()
    document = comparison.document()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    different = [each["label"] for each in document["alternatives"] if each["agrees"] is False]
    if different:
        print(f"error: these do not compute the same vectors: {', '.join(different)}", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
