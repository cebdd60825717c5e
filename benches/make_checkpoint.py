"""Makes an XLM-RoBERTa checkpoint of any size with seeded random weights.

It has the layout of BAAI/bge-m3, whose size is the default (2.3 GB), and is written
tensor by tensor, so that little memory is needed:

    python benches/make_checkpoint.py OUT --tokenizer tests/fixtures/tiny-xlm-roberta

The speed of a model does not depend on its weights; its vectors mean nothing.
"""

import argparse
import json
import math
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

sys.path.append(str(Path(__file__).parents[1] / "tests" / "fixtures"))
from tiny_model import write_sentence_transformer_files  # noqa: E402

SEED = 0
STD = 0.03
CHUNK = 1 << 22
Shapes = dict[str, tuple[int, ...]]


def make_config(arguments: argparse.Namespace) -> XLMRobertaConfig:
    return XLMRobertaConfig(
        architectures=["XLMRobertaModel"],
        vocab_size=arguments.vocab,
        hidden_size=arguments.hidden,
        num_hidden_layers=arguments.layers,
        num_attention_heads=arguments.heads,
        intermediate_size=arguments.intermediate,
        max_position_embeddings=arguments.positions,
        hidden_act="gelu",
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        dtype="float32",
    )


def parameter_shapes(config: XLMRobertaConfig) -> Shapes:
    """The shape of every parameter, from a model that holds no data."""
    with torch.device("meta"):
        model = XLMRobertaModel(config)
    return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}


def safetensors_header(shapes: Shapes) -> bytes:
    """The length and the JSON that precede the data of a safetensors file."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    return len(encoded).to_bytes(8, "little") + encoded


def random_values(generator: np.random.Generator, mean: float, count: int) -> Iterator[bytes]:
    for start in range(0, count, CHUNK):
        values = generator.standard_normal(min(CHUNK, count - start), dtype=np.float32)
        yield (mean + STD * values).astype("<f4").tobytes()


def write_weights(path: Path, shapes: Shapes) -> None:
    generator = np.random.default_rng(SEED)
    with path.open("wb") as file:
        file.write(safetensors_header(shapes))
        for name, shape in shapes.items():
            mean = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            file.writelines(random_values(generator, mean, math.prod(shape)))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Make a random XLM-RoBERTa checkpoint.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("out", type=Path, help="directory to make")
    parser.add_argument("--layers", type=int, default=24, help="transformer layers")
    parser.add_argument("--hidden", type=int, default=1024, help="dimensions of a vector")
    parser.add_argument("--heads", type=int, default=16, help="attention heads")
    parser.add_argument("--intermediate", type=int, default=4096, help="feed-forward width")
    parser.add_argument("--vocab", type=int, default=250002, help="tokens of the vocabulary")
    parser.add_argument("--positions", type=int, default=8194, help="longest text plus 2")
    parser.add_argument("--tokenizer", type=Path, help="directory to copy tokenizer.json from")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    config = make_config(arguments)
    config.save_pretrained(arguments.out)
    write_weights(arguments.out / "model.safetensors", parameter_shapes(config))
    write_sentence_transformer_files(arguments.out, arguments.hidden, arguments.positions - 2)
    if arguments.tokenizer:
        shutil.copy(arguments.tokenizer / "tokenizer.json", arguments.out)


if __name__ == "__main__":
    main()
