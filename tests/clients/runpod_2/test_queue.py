"""The client of queues in runpod 2.0, which thinks that it talks to RunPod."""

import asyncio
import re
import time

import pytest
import runpod
from program import BULK, PATIENCE, get, wait_until
from runpod.apps import EndpointNotFound, Queue, RemoteExecutionError, targets

QUERY = "What is machine learning?"
# A stream is held for this long, less some time for a busy machine.
HELD_SECONDS = 4


@pytest.fixture(autouse=True)
def base(server, monkeypatch):
    monkeypatch.setattr(runpod, "endpoint_url_base", f"{server.url}/v2")
    monkeypatch.setenv("RUNPOD_API_KEY", "a key that nobody checks")


@pytest.fixture
def queue():
    return Queue(app="search", name="query")


@pytest.fixture
def busy(queue):
    """A job that the model works on for as long as the test takes."""
    job = queue.spawn(**BULK)
    wait_until(lambda: job.status() == "IN_PROGRESS")
    yield job
    job.cancel()


def streams(server) -> float:
    """Requests for a stream that the server has answered."""
    name = r"runpod_query_http_answers_total\{route=\"/v2/\{endpoint\}/stream/\{id\}\",status=\"200\"\} (\S+)"
    return sum(float(count) for count in re.findall(name, get(f"{server.url}/metrics").decode()))


def test_remote_gives_the_vector_that_embed_prints(queue, printed):
    assert queue.remote(query=QUERY) == {"embedding": printed(QUERY)}


def test_remote_raises_what_is_wrong_with_an_input(queue):
    with pytest.raises(RemoteExecutionError, match="invalid: query is blank"):
        queue.remote(query=" ")
    with pytest.raises(RemoteExecutionError, match="invalid: give query or queries"):
        queue.remote()


def test_spawn_then_status_then_result(queue, printed):
    job = queue.spawn(query=QUERY)
    assert job.result(timeout=PATIENCE) == {"embedding": printed(QUERY)}
    assert job.status() == "COMPLETED"
    again = queue.job(job.id)
    assert again.status() == "COMPLETED"


def test_stream_gives_the_output_once_and_ends(queue, printed):
    assert list(queue.stream(query=QUERY)) == [{"embedding": printed(QUERY)}]
    with pytest.raises(RemoteExecutionError, match="invalid: query is blank"):
        list(queue.stream(query=" "))


def test_a_stream_asks_seldom_while_its_job_runs(queue, server):
    before = streams(server)
    begin = time.monotonic()
    texts = BULK["texts"][:24]
    (output,) = queue.stream(action="embed_batch", texts=texts)
    seconds = time.monotonic() - begin
    assert len(output["embeddings"]) == len(texts)
    assert streams(server) - before <= 1 + seconds / HELD_SECONDS


def test_a_running_job_can_be_cancelled(busy):
    busy.cancel()
    assert busy.status() == "CANCELLED"


def test_a_job_that_exceeds_its_policy_is_timed_out_and_can_be_retried(queue, busy):
    job = queue.with_options(ttl=1).spawn(**BULK)
    wait_until(lambda: job.status() == "TIMED_OUT")
    job.retry()
    assert job.status() in ("IN_QUEUE", "IN_PROGRESS", "TIMED_OUT")


def test_an_unknown_job_is_not_found(queue, monkeypatch):
    # The client asks seven times, because RunPod may not know a job at once.
    monkeypatch.setattr(targets, "JOB_PROPAGATION_ATTEMPTS", 2)
    with pytest.raises(EndpointNotFound):
        queue.job("nothing").status()


def test_the_asynchronous_forms_do_the_same(queue, printed):
    async def talk():
        expected = {"embedding": printed(QUERY)}
        assert await queue.remote.aio(query=QUERY) == expected
        job = await queue.spawn.aio(query=QUERY)
        assert await job.result.aio(timeout=PATIENCE) == expected
        assert [chunk async for chunk in queue.stream.aio(query=QUERY)] == [expected]
        cancelled = await queue.spawn.aio(**BULK)
        await cancelled.cancel.aio()
        assert await cancelled.status.aio() == "CANCELLED"

    asyncio.run(talk())
