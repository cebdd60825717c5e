"""What every test may ask for: the program, a server that all tests share, and the vectors that `embed` prints."""

import functools
from pathlib import Path

import pytest

import program as runpod_query


def pytest_addoption(parser):
    parser.addoption("--program", type=Path, required=True, help="the program to test")


@pytest.fixture(scope="session")
def program(request) -> Path:
    """The program's path."""
    return request.config.getoption("program").resolve()


@pytest.fixture(scope="session")
def server(program):
    """A server with the default settings and the small real model; `server.url` is where."""
    with runpod_query.Server(program) as server:
        yield server


@pytest.fixture(scope="session")
def printed(program):
    """Gives the vector that `embed` prints for a text."""
    return functools.cache(lambda text: runpod_query.embed(program, [text])[0])
