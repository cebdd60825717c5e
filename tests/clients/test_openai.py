"""The `openai` package's own clients, which think that they talk to OpenAI."""

import asyncio

import openai
import pytest
import requests

import program as runpod_query

QUERY = "What is machine learning?"
REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
KEY = "a key that is checked"
# A token for each of the five words and the mark, and one at either end.
TOKENS = 7


def client(url: str, **options) -> openai.OpenAI:
    # A retry would hide what was answered first.
    return openai.OpenAI(base_url=url, max_retries=0, **{"api_key": "a key that nobody checks"} | options)


@pytest.fixture(params=["/v1", "/v2/abc123/openai/v1"], ids=["bare", "as at RunPod"])
def asked(request, server):
    return client(f"{server.url}{request.param}")


@pytest.mark.parametrize("encoding", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}])
def test_a_text_gives_the_vector_that_embed_prints(asked, printed, encoding):
    answer = asked.embeddings.create(model=REPOSITORY, input=QUERY, **encoding)
    [member] = answer.data
    vector = member.embedding
    if encoding.get("encoding_format") == "base64":
        vector = floats(vector)
    # What is printed are the shortest decimals of 32-bit floats.
    assert [float32(number) for number in vector] == [float32(number) for number in printed(QUERY)]
    assert (answer.object, answer.model, member.index) == ("list", REPOSITORY, 0)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == TOKENS


def float32(number: float) -> bytes:
    import struct

    return struct.pack("<f", number)


def floats(vector) -> list[float]:
    """A vector that was asked for as base64; the package leaves it as it is."""
    import base64
    import struct

    assert isinstance(vector, str)
    return [number for (number,) in struct.iter_unpack("<f", base64.b64decode(vector))]


def test_a_list_gives_a_vector_for_each_text_in_order(asked, printed):
    texts = [QUERY, "hello", QUERY]
    answer = asked.embeddings.create(model="minilm", input=texts)
    assert [member.index for member in answer.data] == [0, 1, 2]
    for text, member in zip(texts, answer.data):
        # In a batch the last bits of a float may differ.
        assert member.embedding == pytest.approx(printed(text), abs=1e-5)


def test_the_models_are_listed(asked):
    [model] = asked.models.list().data
    assert (model.id, model.object, model.owned_by) == (REPOSITORY, "model", "sentence-transformers")


@pytest.mark.parametrize("name", [REPOSITORY, "all-MiniLM-L6-v2", "minilm"])
def test_the_model_is_found_under_each_of_its_names(asked, name):
    model = asked.models.retrieve(name)
    assert (model.id, model.object, model.owned_by) == (REPOSITORY, "model", "sentence-transformers")


def test_a_model_that_is_not_served_is_not_found(asked):
    with pytest.raises(openai.NotFoundError) as raised:
        asked.models.retrieve("BAAI/bge-m3")
    assert raised.value.code == "model_not_found"


def test_another_model_is_not_found(asked):
    with pytest.raises(openai.NotFoundError) as raised:
        asked.embeddings.create(model="BAAI/bge-m3", input=QUERY)
    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")
    assert REPOSITORY in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input": " "}, "input is blank"),
        ({"input": []}, "input is empty"),
        ({"input": [1, 2, 3]}, "tokens"),
        ({"input": QUERY, "dimensions": 256}, "dimensions is 256"),
    ],
)
def test_what_cannot_be_done_is_told_why(asked, arguments, words):
    with pytest.raises(openai.UnprocessableEntityError, match=words) as raised:
        asked.embeddings.create(model="minilm", **arguments)
    assert raised.value.type == "invalid_request_error"
    assert raised.value.request_id


def test_the_models_own_dimensions_may_be_named(asked):
    answer = asked.embeddings.create(model="minilm", input=QUERY, dimensions=384)
    assert len(answer.data[0].embedding) == 384


def test_the_asynchronous_client_does_the_same(server, printed):
    async def talk():
        base = {"base_url": f"{server.url}/v1", "api_key": "any", "max_retries": 0}
        async with openai.AsyncOpenAI(**base) as asked:
            answer = await asked.embeddings.create(model="minilm", input=QUERY)
            assert answer.data[0].embedding == pytest.approx(printed(QUERY), abs=1e-6)

    asyncio.run(talk())


def test_a_job_carries_the_same_request(server):
    request = {"model": "minilm", "input": QUERY, "encoding_format": "base64"}
    job = {"input": {"openai_route": "/v1/embeddings", "openai_input": request}}
    passed_on = requests.post(f"{server.url}/runsync", json=job, timeout=60).json()["output"]
    assert passed_on == requests.post(f"{server.url}/v1/embeddings", json=request, timeout=60).json()


def test_with_a_key_only_who_knows_it_is_answered(program):
    with runpod_query.Server(program, RUNPOD_QUERY__SERVER__API_KEY=KEY) as server:
        url = f"{server.url}/v1"
        with pytest.raises(openai.AuthenticationError):
            client(url).embeddings.create(model="minilm", input=QUERY)
        assert client(url, api_key=KEY).embeddings.create(model="minilm", input=QUERY).data
        assert requests.get(f"{server.url}/ping", timeout=60).status_code == 200
    assert KEY not in server.log and QUERY not in server.log
