"""The code that the documents show."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# The address that the examples ask.
RUNPOD = "https://api.runpod.ai"


def blocks(language: str) -> list[str]:
    """Every block of code in a language."""
    return [
        block
        for page in PAGES
        for block in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    ]


def block(language: str, wanted: str) -> str:
    """The one block of code in a language that has a line as wanted."""
    found = [block for block in blocks(language) if re.search(wanted, block, re.MULTILINE)]
    assert len(found) == 1, f"{len(found)} blocks of {language} with {wanted}"
    return found[0]


def example(package: str) -> str:
    """The one example that uses a Python package."""
    return block("python", rf"^(import|from) {re.escape(package)}\b")
