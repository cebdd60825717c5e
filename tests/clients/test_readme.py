"""What README tells people to type."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import runpod

from program import clean_environment

README = Path(__file__).parents[2] / "README.md"
RUNPOD = "https://api.runpod.ai"
SECONDS = 60


def block(language: str, wanted: str) -> str:
    """The one block of code in a language that has a line as wanted."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    found = [block for block in blocks if re.search(wanted, block, re.MULTILINE)]
    assert len(found) == 1, f"{len(found)} blocks of {language} with {wanted}"
    return found[0]


def example(package: str) -> str:
    """The one example that uses a Python package."""
    return block("python", rf"^(import|from) {package}\b")


def output(command: list[str], code: str, server) -> str:
    """What a program prints that gets an example by standard input, with our server in RunPod's place."""
    assert RUNPOD in code
    environment = clean_environment(RUNPOD_API_KEY="a key that nobody checks", RUNPOD_QUERY_ENDPOINT_ID="abc123")
    return subprocess.run(
        command,
        input=code.replace(RUNPOD, server.url),
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=SECONDS,
    ).stdout


def test_the_call_with_curl_works_with_another_address(server, printed):
    job = json.loads(output(["bash"], block("sh", r"^curl .*/runsync"), server))
    assert job["status"] == "COMPLETED"
    assert job["output"]["embedding"] == pytest.approx(printed("What is machine learning?"), abs=1e-5)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_call_with_javascript_works_with_another_address(server, printed):
    code = block("javascript", "^const vector = ") + "console.log(JSON.stringify(vector));\n"
    vector = json.loads(output(["node", "--input-type=module"], code, server))
    assert vector == pytest.approx(printed("What is machine learning?"), abs=1e-5)


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
    for here, there in [(RUNPOD, server.url), ("BAAI/bge-m3", "minilm")]:
        assert here in code
        code = code.replace(here, there)
    names = {}
    exec(code, names)
    assert names["vector"] == pytest.approx(printed("What is machine learning?"), abs=1e-8)
