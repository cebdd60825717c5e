"""What README tells people to type."""

import re
from pathlib import Path

import pytest
import runpod

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def example(package: str) -> str:
    """The one example that uses a package."""
    blocks = [block for block in BLOCK.findall(README.read_text()) if f"import {package}" in block]
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
