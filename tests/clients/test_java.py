"""Java's own client, which offers HTTP/2 with every request unless it is told otherwise."""

import collections
import json
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "java" / "Embed.java"
# As in the source.
THREADS = 6
REQUESTS = 480
SECONDS = 240

# A busy machine takes a minute for each of them.
pytestmark = pytest.mark.timeout(SECONDS + 20)


def ask(url: str, form: str) -> list[tuple[str, dict]]:
    """Every answer with the text that was sent for it."""
    java = shutil.which("java")
    assert java, "java is not installed"
    done = subprocess.run([java, SOURCE, url, form], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return [(f"text of thread {thread}", json.loads(body)) for thread, body in lines]


def assert_complete(answers: list[tuple[str, dict]]):
    counts = collections.Counter(text for text, _ in answers)
    assert set(counts.values()) == {REQUESTS // THREADS} and len(counts) == THREADS


@pytest.mark.parametrize("run", range(3))
def test_threads_that_share_a_client_each_get_all_their_answers(server, printed, run):
    answers = ask(server.url, "jobs")
    assert_complete(answers)
    for text, job in answers:
        assert job["output"]["embedding"] == printed(text)


def test_requests_as_spring_ai_sends_them_are_answered(server, printed):
    answers = ask(server.url, "spring")
    assert_complete(answers)
    for text, answer in answers:
        [member] = answer["data"]
        assert member["embedding"] == printed(text)
