"""Writes the golden vectors and token ids of one SentenceTransformer model.

Every text of texts.json is encoded alone, so nothing is ever padded:

    python tests/golden/make_golden.py MODEL_DIRECTORY NAME [--model LABEL]

makes two files beside this script:

    NAME.safetensors  "embeddings", float32 [texts, dimensions], in the order of texts.json
    NAME.json         the token ids the transformer was really given, special tokens
                      and truncation included, and the versions of the libraries
"""

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save
from sentence_transformers import SentenceTransformer

HERE = Path(__file__).parent
LIBRARIES = ("sentence-transformers", "transformers", "tokenizers", "torch", "numpy")


class LookupRecorder:
    """Remembers the token ids last looked up in the word embeddings.

    The hook sits on the embeddings because SentenceTransformer calls the
    transformer's `forward` method directly, which runs no hooks of its own.
    """

    def __init__(self, model: SentenceTransformer) -> None:
        self.token_ids: list[int] = []
        word_embeddings = model[0].model.get_input_embeddings()
        word_embeddings.register_forward_pre_hook(self._record)

    def _record(self, _module: torch.nn.Module, args: tuple[torch.Tensor]) -> None:
        [self.token_ids] = args[0].tolist()


def encode(model: SentenceTransformer, texts: list[str]) -> tuple[np.ndarray, list[list[int]]]:
    """The unit-length embedding and the token ids of each text."""
    recorder = LookupRecorder(model)
    embeddings, token_ids = [], []
    for text in texts:
        embeddings.append(model.encode(text, normalize_embeddings=True))
        token_ids.append(recorder.token_ids)
        inputs = model.preprocess([text])
        assert recorder.token_ids == inputs["input_ids"][0].tolist()
        assert bool(inputs["attention_mask"].all()), "a text alone must not be padded"
    return np.stack(embeddings), token_ids


def golden_json(label: str, token_ids: list[list[int]]) -> str:
    """A JSON document with the ids of one text per line."""
    versions = {"python": platform.python_version()} | {n: version(n) for n in LIBRARIES}
    lines = ",\n".join(json.dumps(ids, separators=(",", ":")) for ids in token_ids)
    return (
        f'{{"model": {json.dumps(label)},\n'
        f'"versions": {json.dumps(versions)},\n'
        f'"token_ids": [\n{lines}\n]}}\n'
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Write the golden vectors of one model.")
    parser.add_argument("directory", help="model as SentenceTransformer saves it")
    parser.add_argument("name", help="stem of the two files to write")
    parser.add_argument("--model", help="name of the model to record (default: NAME)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(1)
    texts = [entry["text"] for entry in json.loads((HERE / "texts.json").read_text("utf-8"))]
    model = SentenceTransformer(arguments.directory, device="cpu", local_files_only=True)
    embeddings, token_ids = encode(model, texts)

    assert embeddings.dtype == np.float32 and np.isfinite(embeddings).all()
    assert max(map(len, token_ids)) <= model.max_seq_length
    (HERE / f"{arguments.name}.safetensors").write_bytes(save({"embeddings": embeddings}))
    document = golden_json(arguments.model or arguments.name, token_ids)
    (HERE / f"{arguments.name}.json").write_text(document, encoding="utf-8", newline="\n")
    print(f"{arguments.name}: {embeddings.shape}, longest {max(map(len, token_ids))} tokens")


if __name__ == "__main__":
    main()
