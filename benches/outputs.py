"""Measures what each set of outputs costs, with an older program in turns.

Every program serves its own export of the same checkpoint with heads. Requests go one at a time, to each server in turn.

    python benches/outputs.py NEW_PROGRAM NEW_MODEL OLD_PROGRAM OLD_MODEL

Heads with random weights for the checkpoint of `runpod-query bench --synthetic bge-m3` come from

    python benches/outputs.py --make-heads CHECKPOINT
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

HIDDEN = 1024
# In tokens, special tokens included.
LENGTHS = (12, 128)
ROUNDS = {12: 60, 128: 10}
WORDS = "the of and to in is it for on that with as was are".split()
OUTPUTS = {"dense": ["dense"], "dense_sparse": ["dense", "sparse"], "all": ["dense", "sparse", "colbert"]}
WITHOUT_CACHE = {"RUNPOD_QUERY__ENGINE__CACHE_BYTES": "0"}
ADDRESS = re.compile(r"address=([^\s:]+):(\d+)")


def make_heads(checkpoint: Path) -> None:
    """Writes the two files of heads."""
    import torch

    torch.manual_seed(1)
    for name, outputs in (("sparse_linear", 1), ("colbert_linear", HIDDEN)):
        torch.save(torch.nn.Linear(HIDDEN, outputs).half().state_dict(), checkpoint / f"{name}.pt")


class Server:
    """A running program."""

    def __init__(self, program: str, model: str, variables: dict[str, str]):
        command = [program, "serve", "--host", "127.0.0.1", "--port", "0", "--model-directory", model, "--offline"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | variables)
        for line in self.process.stderr:
            if found := ADDRESS.search(line):
                break
        self.connection = http.client.HTTPConnection(found[1], int(found[2]), timeout=300)
        while self.get("/ping") != 200:
            time.sleep(0.1)

    def get(self, path: str) -> int:
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def time(self, text: str, outputs: list[str] | None) -> float:
        """Milliseconds of one request."""
        fields = {"query": text} | ({"outputs": outputs, "encoding_format": "base64"} if outputs else {})
        body = json.dumps({"input": fields})
        begin = time.perf_counter()
        self.connection.request("POST", "/runsync", body, {"content-type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        assert answer["status"] == "COMPLETED", answer
        return 1000 * (time.perf_counter() - begin)

    def memory(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1000

    def stop(self) -> None:
        self.process.terminate()
        self.process.stderr.close()
        self.process.wait()


def text(tokens: int, number: int) -> str:
    """A text that no other request has."""
    return " ".join(WORDS[(number * 7 + index * (number + 3)) % len(WORDS)] for index in range(tokens - 2))


def measure(new: Server, old: Server) -> dict:
    document = {"idle_mb": {"old": old.memory(), "new": new.memory()}}
    calls = {"old": (old, None), "new": (new, None)} | {name: (new, outputs) for name, outputs in OUTPUTS.items()}
    for tokens in LENGTHS:
        times = {name: [] for name in calls}
        for number in range(ROUNDS[tokens]):
            for name, (server, outputs) in calls.items():
                times[name].append(server.time(text(tokens, number), outputs))
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
    # The same text is sent more than once, and an older program may not know the setting.
    new, old = Server(new_program, new_model, WITHOUT_CACHE), Server(old_program, old_model, {})
    try:
        json.dump(measure(new, old), sys.stdout, indent=1)
    finally:
        new.stop()
        old.stop()


if __name__ == "__main__":
    main()
