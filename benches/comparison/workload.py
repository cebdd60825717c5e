"""What every candidate is asked: texts of an exact number of tokens.

No text is asked twice, because a server may remember a query's vector.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

QUERY_TOKENS = 12
WORDS = """a the of and to in is it for on that with as was are be this have from or by not but what all were when we
    there can an your which their if do will each about how up out them then she many some so these would other into has
    more her two like him see time could no make than first been its who now people my made over did down only way find
    use may water long little very after called just where most know""".split()


@dataclass(frozen=True)
class Case:
    """Texts of the same length that are sent in one call."""

    texts: int
    tokens: int

    def __str__(self) -> str:
        return f"{self.texts} x {self.tokens}"


CASES = (
    Case(1, 4),
    Case(1, QUERY_TOKENS),
    Case(1, 32),
    Case(1, 128),
    Case(1, 512),
    Case(8, QUERY_TOKENS),
    Case(32, QUERY_TOKENS),
)


@dataclass(frozen=True)
class Call:
    """The texts of one call, and their token ids: int64 of shape [texts, tokens]."""

    texts: list[str]
    ids: np.ndarray


class Texts:
    """Makes calls; the same sequence of cases gives the same calls."""

    def __init__(self, checkpoint: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        # A second copy of a word adds the word's tokens and no special ones.
        self.special = 2 * self.count("a") - self.count("a a")
        lengths = {word: self.count(word) - self.special for word in WORDS}
        self.length = min(lengths.values())
        self.words = [word for word, length in lengths.items() if length == self.length]
        self.generator = np.random.default_rng(0)
        self.made: set[str] = set()

    def count(self, text: str) -> int:
        return len(self.tokenizer.encode(text).ids)

    def calls(self, case: Case) -> Iterator[Call]:
        while True:
            texts = [self.text(case.tokens) for _ in range(case.texts)]
            ids = [each.ids for each in self.tokenizer.encode_batch(texts)]
            if any(len(each) != case.tokens for each in ids):
                raise ValueError(f"this tokenizer's words give no text of exactly {case.tokens} tokens")
            yield Call(texts, np.array(ids, dtype=np.int64))

    def text(self, tokens: int) -> str:
        words = max(1, (tokens - self.special) // self.length)
        while True:
            text = " ".join(self.generator.choice(self.words, words))
            if text not in self.made:
                self.made.add(text)
                return text
