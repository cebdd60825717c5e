"""Writes the dense, sparse and ColBERT vectors of tiny-xlm-roberta as FlagEmbedding gives them.

    python tests/golden/make_heads_golden.py

makes two files beside this script:

    heads.json         the texts, the token ids, the sparse weights and the two scores of neighbouring texts
    heads.safetensors  "dense", float32 [texts, dimensions]; "colbert", float32 [rows, dimensions], the rows of
                       all texts one after the other; "rows", int64 [texts], how many are each text's
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from FlagEmbedding import BGEM3FlagModel
from safetensors.numpy import save

HERE = Path(__file__).parent
MODEL = HERE.parent / "fixtures" / "tiny-xlm-roberta"
MAX_LENGTH = 64
LIBRARIES = ("FlagEmbedding", "transformers", "tokenizers", "torch", "numpy")
LONGEST_CHARACTERS = 120

EXTRA_TEXTS = [
    # Special tokens inside the text.
    "before </s> after",
    "<s> at the beginning, and </s> at the end </s>",
    "what is <mask> learning?",
    "<mask>",
    "<unk> and <pad> and <unk>",
    # Repeated tokens.
    "again again again again",
    "the cat and the dog and the bird and the fish",
    "a a a a b b b a",
    # Nearly empty.
    "\u200b",
    " . ",
    "\u00a0x\u00a0",
    # Longer than the model takes.
    "What is machine learning? " * 20,
    "机器学习是什么？" * 30,
    "word " * 200,
]


def texts() -> list[str]:
    """Every other of the short golden texts that are not blank, and those above."""
    entries = json.loads((HERE / "texts.json").read_text("utf-8"))
    short = [entry["text"] for entry in entries if len(entry["text"]) <= LONGEST_CHARACTERS]
    return [text for text in short if text.strip()][::2] + EXTRA_TEXTS


def encode(model: BGEM3FlagModel, text: str) -> dict:
    """The three outputs of a text alone, so that nothing is ever padded."""
    return model.encode(
        [text],
        max_length=MAX_LENGTH,
        return_dense=True,
        return_sparse=True,
        return_colbert_vecs=True,
    )


def main() -> None:
    torch.set_num_threads(1)
    model = BGEM3FlagModel(str(MODEL), use_fp16=False, devices="cpu")
    texts_ = texts()
    outputs = [encode(model, text) for text in texts_]
    dense = np.concatenate([output["dense_vecs"] for output in outputs])
    lexical = [output["lexical_weights"][0] for output in outputs]
    colbert = [output["colbert_vecs"][0] for output in outputs]
    records = []
    for index, text in enumerate(texts_):
        neighbour = (index + 1) % len(texts_)
        records.append(
            {
                "text": text,
                "token_ids": model.tokenizer(text, truncation=True, max_length=MAX_LENGTH)["input_ids"],
                "sparse": {str(key): float(value) for key, value in lexical[index].items()},
                "lexical_score": float(
                    model.compute_lexical_matching_score(lexical[index], lexical[neighbour])
                ),
                "colbert_score": float(model.colbert_score(colbert[index], colbert[neighbour])),
            }
        )
    tensors = {
        "dense": dense,
        "colbert": np.concatenate(colbert),
        "rows": np.array([len(rows) for rows in colbert]),
    }
    assert all(tensor.dtype in (np.float32, np.int64) for tensor in tensors.values())
    (HERE / "heads.safetensors").write_bytes(save(tensors))
    versions = {"python": platform.python_version()} | {n: version(n) for n in LIBRARIES}
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in records)
    document = f'{{"versions": {json.dumps(versions)},\n"records": [\n{lines}\n]}}\n'
    (HERE / "heads.json").write_text(document, encoding="utf-8", newline="\n")
    weights = [len(record["sparse"]) / len(record["token_ids"]) for record in records]
    print(f"{len(records)} texts, {tensors['rows'].sum()} rows, {np.mean(weights):.2f} weights a token")


if __name__ == "__main__":
    main()
