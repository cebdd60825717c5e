"""What the documents tell people to type, and what they say is answered."""

import json
import re
import shlex
import shutil
import subprocess

import pytest
import runpod

from documents import RUNPOD, block, blocks, example
from program import clean_environment

LOCAL = "localhost:8000"
SECONDS = 60
# What stands for the rest of a list.
REST = "..."
# What differs from one answer to the next, as a document shows it: ids, times, counts of jobs.
CHANGING = [
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"[0-9a-f-]{36}"),
    (r'"(created|delayTime|executionTime|completed|failed|inProgress|inQueue|retried|idle|running)":\d+', r'"\1":\\d+'),
    # Decimals that every processor agrees on.
    (r"(-?0\.\d{4})\d+", r"\1\\d+"),
]


def conversations() -> list[tuple[str, str]]:
    """Every command that stands with what it prints."""
    found = []
    for text in blocks("console"):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


def pattern(printed: str) -> str:
    """What a program may print where a document shows `printed`."""
    literal = re.escape(printed.strip()).replace(r"\-", "-").replace(r"\"", '"').replace(r"\.", ".")
    for shown, possible in CHANGING:
        literal = re.sub(shown, possible, literal)
    return literal.replace(REST, ".*")


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


@pytest.mark.parametrize("command, printed", conversations())
def test_a_command_prints_what_the_document_shows(command, printed, server, program):
    name, *arguments = shlex.split(command)
    if name == "runpod-query":
        name = str(program)
    else:
        assert name == "curl" and any(LOCAL in argument for argument in arguments), command
        arguments = [argument.replace(f"http://{LOCAL}", server.url).replace(LOCAL, server.url) for argument in arguments]
    answer = subprocess.run(
        [name, *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    ).stdout
    assert printed.strip(), f"nothing is shown for {command}"
    assert re.fullmatch(pattern(printed), answer.strip()), f"{command} prints {answer[:500]}"


def test_the_documents_show_answers_of_each_interface():
    commands = [command for command, _ in conversations()]
    for words in ["/runsync", "/v1/embeddings", "/health", "runpod-query embed"]:
        assert any(words in command for command in commands), words


def test_another_answer_than_the_one_shown_is_noticed():
    shown = '{"status":"FAILED","error":"invalid: a","embedding":[-0.019954577,...],"delayTime":0}'
    assert re.fullmatch(pattern(shown), shown.replace("0.019954577,...", "0.019951,1,2").replace(":0}", ":15}"))
    for other in [
        shown.replace("FAILED", "COMPLETED"),
        shown.replace("invalid: a", "invalid: b"),
        shown.replace("0.0199", "0.0189"),
    ]:
        assert not re.fullmatch(pattern(shown), other)


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
