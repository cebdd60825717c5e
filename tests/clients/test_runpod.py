"""The `runpod` package's own clients, which think that they talk to RunPod."""

import asyncio

import aiohttp
import pytest
import requests
import runpod
from program import BULK, PATIENCE, wait_until

QUERY = "What is machine learning?"
KEY = "a key that nobody checks"


@pytest.fixture(autouse=True)
def base(server, monkeypatch):
    monkeypatch.setattr(runpod, "endpoint_url_base", f"{server.url}/v2")


@pytest.fixture
def endpoint():
    return runpod.Endpoint("query", api_key=KEY)


@pytest.fixture
def busy(endpoint):
    """A job that the model works on for as long as the test takes."""
    job = endpoint.run({"input": BULK})
    wait_until(lambda: job.status() == "IN_PROGRESS")
    yield job
    job.cancel()


def test_run_sync_gives_the_vector_that_embed_prints(endpoint, printed):
    assert endpoint.run_sync({"input": {"query": QUERY}}) == {"embedding": printed(QUERY)}


def test_an_input_without_its_envelope_is_wrapped(endpoint, printed):
    query, hello = endpoint.run_sync({"queries": [QUERY, "hello"]})["embeddings"]
    # In a batch the last bits of a float may differ.
    assert query == pytest.approx(printed(QUERY), abs=1e-5)
    assert hello == pytest.approx(printed("hello"), abs=1e-5)


def test_run_sync_gives_nothing_for_an_input_that_cannot_be_done(endpoint):
    assert endpoint.run_sync({"query": " "}) is None


def test_run_then_status_then_output(endpoint, printed):
    job = endpoint.run({"input": {"query": QUERY}})
    assert job.output(timeout=PATIENCE) == {"embedding": printed(QUERY)}
    assert job.status() == "COMPLETED"


def test_a_job_that_cannot_be_done_has_failed(endpoint):
    job = endpoint.run({"input": {"query": " "}})
    wait_until(lambda: job.status() == "FAILED")
    assert job.output() is None


def test_stream_gives_the_output_once_and_ends(endpoint, printed):
    job = endpoint.run({"input": {"query": QUERY}})
    assert list(job.stream()) == [{"embedding": printed(QUERY)}]


def test_a_running_job_can_be_cancelled(busy):
    assert busy.cancel() == {"id": busy.job_id, "status": "CANCELLED"}
    assert busy.status() == "CANCELLED"


def test_purge_queue_takes_back_what_waits(endpoint, busy):
    # A job in bulk waits behind the one that runs.
    waiting = [endpoint.run({"input": BULK}) for _ in range(3)]
    assert [job.status() for job in waiting] == ["IN_QUEUE"] * 3
    assert endpoint.purge_queue() == {"removed": 3, "status": "completed"}
    assert [job.status() for job in waiting] == ["CANCELLED"] * 3
    assert busy.status() == "IN_PROGRESS"


def test_a_query_is_answered_while_a_job_in_bulk_runs(endpoint, busy, printed):
    output = endpoint.run_sync({"query": QUERY})["embedding"]
    assert output == pytest.approx(printed(QUERY), abs=1e-5)
    assert busy.status() == "IN_PROGRESS"


def test_health_counts_the_job(endpoint):
    before = endpoint.health()["jobs"]["completed"]
    endpoint.run_sync({"query": QUERY})
    health = endpoint.health()
    assert health["jobs"]["completed"] == before + 1
    assert health["workers"]["idle"] == 1


def test_an_unknown_job_is_an_http_error(endpoint):
    with pytest.raises(requests.HTTPError, match="404"):
        runpod.endpoint.Job("query", "nothing", endpoint.rp_client).status()


def test_the_asynchronous_client_does_the_same(printed):
    async def talk():
        async with aiohttp.ClientSession() as session:
            endpoint = runpod.AsyncioEndpoint("query", session, api_key=KEY)
            job = await endpoint.run({"query": QUERY})
            assert await job.output(timeout=PATIENCE) == {"embedding": printed(QUERY)}
            assert await job.status() == "COMPLETED"
            streamed = [chunk async for chunk in (await endpoint.run({"query": QUERY})).stream()]
            assert streamed == [{"embedding": printed(QUERY)}]
            cancelled = await endpoint.run(BULK)
            assert (await cancelled.cancel())["status"] == "CANCELLED"
            assert (await endpoint.health())["workers"]["ready"] == 1
            assert (await endpoint.purge_queue())["status"] == "completed"

    asyncio.run(talk())
