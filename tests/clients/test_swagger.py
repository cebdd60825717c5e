"""Swagger UI as people use it, in a headless Chromium."""

import json

from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

import loopback
import program as runpod_query

KEY = "a key that is checked"
PREFIX = "/models/query"
# For an answer on the page.
SECONDS = 30


class Page:
    """The documentation of one server, as its root leads there."""

    def __init__(self, browser, url: str):
        self._browser = browser
        browser.get(f"{url}/")
        assert browser.current_url == f"{url}/docs/"
        self._find(".opblock")

    def _find(self, selector: str, within=None):
        """The element, as soon as it is on the page and can be seen."""

        def visible(browser):
            found = (within or browser).find_elements(By.CSS_SELECTOR, selector)
            return next((element for element in found if element.is_displayed()), None)

        return WebDriverWait(self._browser, SECONDS).until(visible, selector)

    def _click(self, selector: str, within=None):
        element = self._find(selector, within)
        self._browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def operations(self) -> int:
        return len(self._browser.find_elements(By.CSS_SELECTOR, ".opblock"))

    def resources(self) -> list[str]:
        script = "return performance.getEntriesByType('resource').map(entry => entry.name)"
        return self._browser.execute_script(script)

    def authorize(self, key: str):
        self._click(".btn.authorize")
        self._find(".modal-ux input").send_keys(key)
        self._click(".modal-ux .btn.authorize")
        self._click(".modal-ux .btn-done")

    def execute(self, tag: str, operation: str) -> tuple[str, str]:
        """Opens an operation, sends its example as it stands, and gives the status and the body that are shown."""
        block = self._find(f"#operations-{tag}-{operation}")
        if "is-open" not in block.get_attribute("class"):
            self._click(".opblock-summary-control", block)
        self._click(".execute", block)
        status = self._find(".live-responses-table .response .response-col_status", block)
        body = self._find(".live-responses-table .response .response-col_description .highlight-code", block)
        return status.text.split()[0], body.text


def test_the_example_of_a_job_can_be_sent_as_it_stands(browser, server, printed):
    status, body = Page(browser, server.url).execute("RunPod", "runsync")
    assert status == "200"
    assert "COMPLETED" in body and str(printed("What is machine learning?")[0]) in body


def test_the_example_of_openais_route_can_be_sent_as_it_stands(browser, server, printed):
    status, body = Page(browser, server.url).execute("OpenAI", "embeddings")
    assert status == "200"
    assert str(printed("What is machine learning?")[0]) in body


def test_the_page_shows_every_operation_and_asks_nobody_else(browser, server):
    page = Page(browser, server.url)
    documented = json.loads(runpod_query.get(f"{server.url}/openapi.json"))["paths"]
    methods = [method for item in documented.values() for method in item if method in ("get", "post")]
    assert page.operations() == len(methods)
    assert page.resources()
    assert [name for name in page.resources() if not name.startswith((server.url, "data:"))] == []


def test_the_key_can_be_given_on_the_page(browser, program):
    with runpod_query.Server(program, RUNPOD_QUERY__SERVER__API_KEY=KEY) as server:
        page = Page(browser, server.url)
        assert page.execute("RunPod", "health")[0] == "401"
        page = Page(browser, server.url)
        page.authorize(KEY)
        status, body = page.execute("RunPod", "health")
        assert status == "200" and "workers" in body


def test_behind_a_proxy_that_adds_a_prefix_every_example_can_be_sent(browser, server, printed):
    with loopback.prefixed(server.url, PREFIX) as url:
        page = Page(browser, url)
        for tag, operation in [("RunPod", "runsync"), ("OpenAI", "embeddings")]:
            status, body = page.execute(tag, operation)
            assert status == "200"
            assert str(printed("What is machine learning?")[0]) in body
        assert page.execute("RunPod", "health")[0] == "200"
        assert page.resources()
        assert [name for name in page.resources() if not name.startswith((f"{url}/", "data:"))] == []
