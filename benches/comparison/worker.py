"""A candidate in a process of its own: its threads, its memory and its crashes are its own.

The process times its calls itself, so that the pipe to it costs nothing.
"""

import importlib
import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from comparison.candidates import Candidate, CandidateError, Kind, Models
from comparison.processes import resident_bytes
from comparison.workload import Call

END = None
STOP_SECONDS = 20
SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Loaded:
    """What is known of a candidate once it has answered its first call."""

    load_seconds: float
    properties: dict[str, str]


class Worker:
    """A process with a loaded candidate."""

    def __init__(self, kind: Kind, models: Models, threads: int) -> None:
        self.kind = kind
        self.connection, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=serve, args=(theirs, kind, models, threads), daemon=True)
        self.process.start()
        theirs.close()
        self.loaded: Loaded = self.receive()

    def call(self, call: Call) -> tuple[float, np.ndarray]:
        """Seconds of a call, and its vectors."""
        self.connection.send(call)
        return self.receive()

    def receive(self) -> object:
        try:
            answer = self.connection.recv()
        except EOFError:
            self.process.join()
            raise CandidateError(f"its process ended with exit code {self.process.exitcode}") from None
        if isinstance(answer, CandidateError):
            raise answer
        return answer

    def resident_bytes(self) -> int:
        return resident_bytes(self.process.pid)

    def stop(self) -> None:
        if self.process.is_alive():
            self.connection.send(END)
            self.process.join(STOP_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def serve(connection: Connection, kind: Kind, models: Models, threads: int) -> None:
    """Runs in the process: loads the candidate and performs calls until the end."""
    try:
        begin = time.perf_counter()
        module, name = kind.load.split(":")
        candidate: Candidate = getattr(importlib.import_module(module), name)(models, threads)
        connection.send(Loaded(time.perf_counter() - begin, candidate.properties()))
        while (call := connection.recv()) is not END:
            prepared = candidate.prepare(call)
            begin = time.perf_counter()
            vectors = candidate.run(prepared)
            connection.send((time.perf_counter() - begin, np.asarray(vectors, dtype=np.float32)))
    except CandidateError as error:
        connection.send(error)
    except Exception as error:  # Whatever a package raises is the reason why the candidate is left out.
        reason = str(error).strip().splitlines() or [""]
        connection.send(CandidateError(f"{type(error).__name__}: {reason[0]}"))
