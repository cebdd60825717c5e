"""The page on hybrid search: its program is run as it stands, with Qdrant's real client."""

import base64
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import program as runpod_query
from test_readme import block

ROOT = Path(__file__).parents[2]
# Random weights: what it finds means nothing, but every score can be computed again.
CHECKPOINT = ROOT / "tests" / "fixtures" / "tiny-xlm-roberta"
QUERY = "What is BM25?"
ALL = ["dense", "sparse", "colbert"]
SERVER = "http://localhost:8000"


@pytest.fixture(scope="module")
def server(request, tmp_path_factory):
    """A server of a model with heads."""
    program = Path(request.config.getoption("--program"))
    directory = tmp_path_factory.mktemp("model") / "tiny"
    environment = runpod_query.clean_environment()
    subprocess.run([program, "export", CHECKPOINT, directory], env=environment, check=True, timeout=60)
    with runpod_query.Server(program, "--model-directory", directory) as server:
        yield server


def ask(server, **fields):
    """The output of one call."""
    body = json.dumps({"input": fields}).encode()
    answer = json.loads(runpod_query.post(f"{server.url}/runsync", body))
    assert answer["status"] == "COMPLETED", answer
    return answer["output"]


def scores():
    """The two functions of the page."""
    found = {}
    exec(block("python", r"^def lexical_score"), found)
    return found["lexical_score"], found["colbert_score"]


def test_the_page_indexes_and_searches(server):
    code = block("python", "^from qdrant_client")
    code = code.replace(SERVER, server.url)
    # What it searches is compared with the scores of the other example.
    code += f"\nimport json\nprint(json.dumps([index, query, [[p.id, p.score] for p in ranked.points]]))\n"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    *printed, last = ran.stdout.splitlines()
    assert [line.split()[0] for line in printed] == ["fused"] * 3 + ["ranked"] * 3
    index, query, ranked = json.loads(last)
    _, colbert_score = scores()
    rows = len(query["colbert_embedding"])
    for number, score in ranked:
        expected = colbert_score(query["colbert_embedding"], index["colbert_embeddings"][number])
        assert score == pytest.approx(rows * expected, rel=1e-4)
    assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)


def test_the_lexical_score_is_qdrants(server):
    from qdrant_client import QdrantClient, models

    output = ask(server, action="embed_batch", texts=[QUERY, "BM25 is a function. What is it?"], outputs=["sparse"])
    query, passage = output["sparse_embeddings"]
    client = QdrantClient(":memory:")
    client.create_collection("texts", vectors_config={}, sparse_vectors_config={"sparse": models.SparseVectorParams()})
    client.upsert("texts", [models.PointStruct(id=1, vector={"sparse": models.SparseVector(**passage)})])
    [found] = client.query_points("texts", query=models.SparseVector(**query), using="sparse").points
    lexical_score, _ = scores()
    assert found.score == pytest.approx(lexical_score(query, passage), rel=1e-5)


def test_base64_is_the_same_numbers(server):
    floats = ask(server, query=QUERY, outputs=ALL)
    encoded = ask(server, query=QUERY, outputs=ALL, encoding_format="base64")
    assert encoded["sparse_embedding"] == floats["sparse_embedding"]
    colbert = floats["colbert_embedding"]
    assert encoded["colbert_embedding"]["rows"] == len(colbert)
    for data, expected in [
        (encoded["embedding"], floats["embedding"]),
        (encoded["colbert_embedding"]["data"], [value for row in colbert for value in row]),
    ]:
        data = base64.b64decode(data)
        found = struct.unpack(f"<{len(data) // 4}f", data)
        assert list(found) == pytest.approx(expected, rel=1e-6)
