"""A web page of another origin that asks the program, in a headless Chromium."""

import loopback
import program as runpod_query

KEY = "a key that is checked"
QUERY = "What is machine learning?"
# As OpenAI's package for JavaScript asks from a browser.
ASK = """
    const [url, key, body, done] = arguments;
    const headers = {
        "authorization": `Bearer ${key}`,
        "content-type": "application/json",
        "x-stainless-lang": "js",
        "x-stainless-retry-count": "0",
    };
    fetch(url, {method: "POST", headers, body: JSON.stringify(body)}).then(
        async answer => done({status: answer.status, id: answer.headers.get("x-request-id"), body: await answer.json()}),
        error => done({error: String(error)}),
    );
"""


def ask(browser, url: str, key: str, text: str) -> dict:
    """What the page gets that the browser shows."""
    return browser.execute_async_script(ASK, f"{url}/v1/embeddings", key, {"input": text})


def test_a_page_of_an_allowed_origin_reads_vectors_and_errors(browser, program, printed):
    with loopback.page() as allowed, loopback.page() as other:
        settings = {"RUNPOD_QUERY__SERVER__API_KEY": KEY, "RUNPOD_QUERY__SERVER__CORS_ALLOWED_ORIGINS": allowed}
        with runpod_query.Server(program, **settings) as server:
            browser.get(allowed)
            answer = ask(browser, server.url, KEY, QUERY)
            assert (answer["status"], len(answer["id"])) == (200, 36), answer
            [member] = answer["body"]["data"]
            assert abs(member["embedding"][0] - printed(QUERY)[0]) < 1e-5
            assert ask(browser, server.url, "another key", QUERY)["status"] == 401
            refused = ask(browser, server.url, KEY, " ")
            assert (refused["status"], refused["body"]["error"]["message"]) == (422, "input is blank")
            browser.get(other)
            assert "error" in ask(browser, server.url, KEY, QUERY)


def test_without_the_setting_no_page_of_another_origin_reads_anything(browser, server):
    with loopback.page() as origin:
        browser.get(origin)
        assert "error" in ask(browser, server.url, "any", QUERY)
