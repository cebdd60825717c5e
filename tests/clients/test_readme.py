"""What README tells people to type."""

import re
from pathlib import Path

import pytest
import runpod

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def example(package: str) -> str:
    """The one example that uses a package."""
    imported = re.compile(rf"^(import|from) {package}\b", re.MULTILINE)
    blocks = [block for block in BLOCK.findall(README.read_text()) if imported.search(block)]
    assert len(blocks) == 1, f"{len(blocks)} examples of {package}"
    return blocks[0]


def test_the_example_of_runpods_package_works_as_it_stands(server, printed, monkeypatch):
    monkeypatch.setattr(runpod, "endpoint_url_base", f"{server.url}/v2")
    monkeypatch.setenv("RUNPOD_API_KEY", "a key that nobody checks")
    monkeypatch.setenv("RUNPOD_QUERY_ENDPOINT_ID", "abc123")
    names = {}
    exec(example("runpod"), names)
    assert names["vector"] == printed("What is machine learning?")
    assert names["vectors"][1] == pytest.approx(printed("second"), abs=1e-5)


def test_the_example_of_openais_package_works_with_another_address_and_model(server, printed, monkeypatch):
    monkeypatch.setenv("RUNPOD_API_KEY", "a key that nobody checks")
    monkeypatch.setenv("RUNPOD_QUERY_ENDPOINT_ID", "abc123")
    code = example("openai")
    for here, there in [("https://api.runpod.ai", server.url), ("BAAI/bge-m3", "minilm")]:
        assert here in code
        code = code.replace(here, there)
    names = {}
    exec(code, names)
    assert names["vector"] == pytest.approx(printed("What is machine learning?"), abs=1e-8)
