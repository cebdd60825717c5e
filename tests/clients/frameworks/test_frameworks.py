"""LangChain, LlamaIndex and LiteLLM, which think that they talk to OpenAI: as the page shows them, and with many texts."""

import os

import pytest

# Its list of prices comes with it; otherwise it would ask another machine for a newer one.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from langchain_openai import OpenAIEmbeddings
from llama_index.embeddings.openai_like import OpenAILikeEmbedding

import documents

QUERY = "What is machine learning?"
MODEL = "BAAI/bge-m3"
KEY = "a key that nobody checks"
# LangChain sends so many at a time unless it is told otherwise.
TEXTS = [f"text {number}" for number in range(1000)]


@pytest.fixture
def run(server, monkeypatch):
    """Runs the page's example of a package, and gives the names it has defined."""
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    monkeypatch.setenv("RUNPOD_QUERY_ENDPOINT_ID", "abc123")

    def run(package: str) -> dict:
        code = documents.example(package)
        for here, there in [(documents.RUNPOD, server.url), (MODEL, "minilm")]:
            assert here in code
            code = code.replace(here, there)
        names = {}
        exec(code, names)
        return names

    return run


@pytest.mark.parametrize("package", ["langchain_openai", "llama_index.embeddings.openai_like", "litellm"])
def test_the_example_works_with_another_address_and_model(run, printed, package):
    names = run(package)
    assert names["vector"] == pytest.approx(printed(QUERY), abs=1e-5)
    first, second = names["vectors"]
    assert first == pytest.approx(printed("first"), abs=1e-5)
    assert second == pytest.approx(printed("second"), abs=1e-5)


@pytest.fixture
def options(server):
    return {"api_base": f"{server.url}/v1", "api_key": KEY}


def assert_in_order(vectors: list[list[float]], printed):
    assert len(vectors) == len(TEXTS)
    for number in [0, 1, len(TEXTS) // 2, len(TEXTS) - 1]:
        assert vectors[number] == pytest.approx(printed(TEXTS[number]), abs=1e-5)


def test_langchain_embeds_many_documents(options, printed):
    embeddings = OpenAIEmbeddings(
        model="minilm",
        base_url=options["api_base"],
        api_key=options["api_key"],
        check_embedding_ctx_length=False,
    )
    assert_in_order(embeddings.embed_documents(TEXTS), printed)


def test_llamaindex_embeds_many_texts(options, printed):
    embedding = OpenAILikeEmbedding(model_name="minilm", embed_batch_size=len(TEXTS), **options)
    assert_in_order(embedding.get_text_embedding_batch(TEXTS), printed)


def test_litellm_embeds_many_texts(options, printed):
    answer = litellm.embedding(model="openai/minilm", input=TEXTS, **options)
    vectors = [member["embedding"] for member in answer.data]
    assert_in_order(vectors, printed)


def test_litellm_passes_an_error_of_ours_on(options):
    with pytest.raises(litellm.NotFoundError, match="this endpoint serves"):
        litellm.embedding(model="openai/another", input=[QUERY], max_retries=0, **options)
