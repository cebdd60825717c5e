"""The real program: its commands, and a server on a free port of this machine that ends with its test."""

import json
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

# A first start fetches the model.
START_SECONDS = 110
STOP_SECONDS = 20
# For a result that must come.
PATIENCE = 60
MODEL = ["--model", "minilm"]
# Keeps the model busy for some seconds, in texts that go one by one.
BULK = {"action": "embed_batch", "texts": [f"text {number} " + "word " * 200 for number in range(96)]}
ADDRESS = re.compile(r"address=([^\s\"]+)")


def clean_environment(**variables):
    """Our environment without what would make the program something else, and with `variables`."""
    foreign = ("RUNPOD_", "PORT", "RUST_LOG")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return inherited | variables


def embed(program: Path, texts: list[str]) -> list[list[float]]:
    """The vectors that the command prints."""
    command = [program, "embed", *MODEL, "--", *texts]
    printed = subprocess.run(
        command, env=clean_environment(), capture_output=True, check=True, timeout=START_SECONDS
    ).stdout
    return [json.loads(line)["embedding"] for line in printed.splitlines()]


def get(url: str) -> bytes:
    """The body at an address that must answer."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def post(url: str, body: bytes) -> bytes:
    """The answer to a JSON body, which must be one of success."""
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def wait_until(condition):
    """Returns when the condition holds; fails when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Server:
    """A running server whose model is loaded; a context manager that ends it."""

    def __init__(self, program: Path, *model: str | Path, **variables: str):
        command = [program, "serve", "--host", "127.0.0.1", "--port", "0", *(model or MODEL)]
        self._process = subprocess.Popen(
            command, env=clean_environment(**variables), stderr=subprocess.PIPE, text=True
        )
        self._log: list[str] = []
        self._address = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        """What the server has written."""
        return "".join(self._log)

    def __enter__(self):
        try:
            self._wait()
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._reader.join(STOP_SECONDS)

    def _read(self):
        for line in self._process.stderr:
            self._log.append(line)
            if not self._address.is_set() and (found := ADDRESS.search(line)):
                self.url = f"http://{found[1]}"
                self._address.set()

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        while not (self._address.is_set() and self._is_ready()):
            assert self._process.poll() is None, f"the server has ended:\n{self.log}"
            assert time.monotonic() < deadline, f"the server is not ready:\n{self.log}"
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=5) as answer:
                return answer.status == 200
        except urllib.error.URLError:
            return False
