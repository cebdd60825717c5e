"""What every test may ask for: the program, a server that all tests share, the vectors that `embed` prints, and a browser."""

import functools
import shutil
from pathlib import Path

import pytest

import program as runpod_query

# Longest time until a page is loaded.
PAGE_SECONDS = 30


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


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium."""
    # Only one of the two environments has it.
    from selenium import webdriver

    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    assert driver and chromium, "chromium and chromedriver are not installed"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,2000"]:
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    browser.set_page_load_timeout(PAGE_SECONDS)
    yield browser
    browser.quit()
