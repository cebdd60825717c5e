"""Our program as a server on the loopback address, and requests to it over one connection that stays open."""

import http.client
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from comparison.processes import resident_bytes

ADDRESS = re.compile(r"listening address=([^\s:]+):(\d+)")
START_SECONDS = 300
REQUEST_SECONDS = 600
STOP_SECONDS = 20
# The server closes connections that are idle for much longer.
IDLE_SECONDS = 5
LOG_CHARACTERS = 2000
# With one of these the server would also take a pod's real jobs.
QUEUE_VARIABLES = ("RUNPOD_WEBHOOK_GET_JOB", "RUNPOD_WEBHOOK_POST_OUTPUT", "RUNPOD_WEBHOOK_PING")


class OwnServer:
    """A running server that is ready."""

    def __init__(self, program: Path, model: Path, *options: str, has_cache: bool = True) -> None:
        """`has_cache` is false for an older program, which does not know the setting that switches its cache off."""
        command = [program, "serve", "--host", "127.0.0.1", "--port", "0", "--model-directory", model, "--offline"]
        environment = {name: value for name, value in os.environ.items() if name not in QUEUE_VARIABLES}
        environment["RUNPOD_QUERY__LOG__FILTER"] = "info"
        if has_cache:
            environment["RUNPOD_QUERY__ENGINE__CACHE_BYTES"] = "0"
        self.log = tempfile.NamedTemporaryFile(mode="r")
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=Path(self.log.name).open("w"),
            env=environment,
        )
        self.connection = self.connect(begin + START_SECONDS)
        while self.get("/ping") != 200:
            self.wait(begin + START_SECONDS)
        self.last_answer = time.perf_counter()
        self.start_seconds = self.last_answer - begin

    def connect(self, deadline: float) -> http.client.HTTPConnection:
        while not (found := ADDRESS.search(Path(self.log.name).read_text())):
            self.wait(deadline)
        return http.client.HTTPConnection(found[1], int(found[2]), timeout=REQUEST_SECONDS)

    def wait(self, deadline: float) -> None:
        if self.process.poll() is not None or time.perf_counter() > deadline:
            log = Path(self.log.name).read_text()
            self.stop()
            raise RuntimeError(f"the server is not ready: {log[-LOG_CHARACTERS:]}")
        time.sleep(0.01)

    def get(self, path: str) -> int:
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def reopen(self) -> None:
        """Takes a new connection if the old one may have been closed, so that no request pays for that."""
        if time.perf_counter() - self.last_answer > IDLE_SECONDS:
            self.connection.close()
            self.get("/ping")

    def post(self, job: dict) -> tuple[float, dict]:
        """Seconds from the request to the end of the answer, and the job's output."""
        body = json.dumps(job).encode()
        self.reopen()
        begin = time.perf_counter()
        self.connection.request("POST", "/runsync", body, {"Content-Type": "application/json"})
        read = self.connection.getresponse().read()
        self.last_answer = time.perf_counter()
        seconds = self.last_answer - begin
        answer = json.loads(read)
        if answer.get("status") != "COMPLETED":
            raise RuntimeError(f"the job failed: {answer}")
        return seconds, answer["output"]

    def embed(self, texts: list[str]) -> tuple[float, list[list[float]]]:
        """Seconds of a request with texts, and their vectors."""
        one = len(texts) == 1
        asked = {"query": texts[0]} if one else {"action": "embed_batch", "texts": texts}
        seconds, output = self.post({"input": asked})
        return seconds, [output["embedding"]] if one else output["embeddings"]

    def resident_bytes(self) -> int:
        return resident_bytes(self.process.pid)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
