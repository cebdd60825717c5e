"""The `runpod` package's own client, which thinks that it talks to RunPod."""

import pytest
import runpod

QUERY = "What is machine learning?"


@pytest.fixture
def endpoint(server, monkeypatch):
    monkeypatch.setattr(runpod, "endpoint_url_base", f"{server.url}/v2")
    return runpod.Endpoint("query", api_key="a key that nobody checks")


def test_run_sync_gives_the_vector_that_embed_prints(endpoint, printed):
    assert endpoint.run_sync({"input": {"query": QUERY}}) == {"embedding": printed(QUERY)}


def test_health_counts_the_job(endpoint):
    before = endpoint.health()["jobs"]["completed"]
    endpoint.run_sync({"query": QUERY})
    health = endpoint.health()
    assert health["jobs"]["completed"] == before + 1
    assert health["workers"]["idle"] == 1
