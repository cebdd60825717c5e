"""Takes the README's picture of Swagger UI: a query, sent, with its answer.

    tests/clients/run.sh tests/clients/test_swagger.py      # makes the environment
    target/clients/bin/python tests/clients/picture.py target/debug/runpod-query docs/swagger-ui.png
"""

import shutil
import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

import program as runpod_query

SECONDS = 30
WIDTH = 900
BLOCK = "#operations-RunPod-runsync"
# Only what tells of the query: the long parts become short, the others are left out.
STYLE = """
    .servers, .operation-servers, .opblock-section:has(> .operation-servers), .servers-title,
    .parameters-container, .opblock-description, .opblock-section-request-body .renderedMarkdown,
    .curl-command, .request-url, .responses-table:not(.live-responses-table), .responses-inner h4,
    .response-col_links, .download-contents, .copy-to-clipboard, .response h5, .btn.cancel,
    .opblock-section-header:has(.tab-header), .response-col_description pre { display: none !important; }
    .response-col_description .highlight-code pre { display: block !important; max-height: 200px !important; overflow: hidden !important; }
    textarea { height: 100px !important; min-height: 100px !important; }
"""


def main(program: Path, target: Path) -> None:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--window-size={WIDTH},1600"]:
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        with runpod_query.Server(program) as server:
            browser.get(f"{server.url}/docs/")

            def find(selector: str):
                return WebDriverWait(browser, SECONDS).until(
                    lambda page: next((one for one in page.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()), None)
                )

            for button in [f"{BLOCK} .opblock-summary-control", f"{BLOCK} .btn.execute"]:
                element = find(button)
                browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", element)
            find(f"{BLOCK} .live-responses-table .highlight-code")
            browser.execute_script(
                "const style = document.createElement('style'); style.textContent = arguments[0]; document.head.append(style)", STYLE
            )
            browser.execute_script("arguments[0].scrollIntoView()", find(BLOCK))
            target.write_bytes(find(BLOCK).screenshot_as_png)
    finally:
        browser.quit()


if __name__ == "__main__":
    main(*(Path(argument).resolve() for argument in sys.argv[1:]))
