"""Writes an XLM-RoBERTa checkpoint as a GGUF file of llama.cpp's architecture `bert`, with CLS pooling.

The file has no tokenizer: token ids go in.

    python -m comparison.gguf_file CHECKPOINT OUT.gguf Q8_0
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors import safe_open

# Rows of the position table before a text's first position, which llama.cpp counts from 0.
RESERVED_POSITIONS = 2
EMBEDDINGS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm": "token_embd_norm",
}
LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}


def tensor_names(layers: int) -> dict[str, str]:
    """The name in the checkpoint, and the name in the file, of every tensor that the file holds."""
    names = dict(EMBEDDINGS)
    for layer in range(layers):
        names |= {f"encoder.layer.{layer}.{theirs}": f"blk.{layer}.{name}" for theirs, name in LAYER.items()}
    found = {}
    for theirs, name in names.items():
        if theirs.endswith(".weight"):
            found[theirs] = name
        else:
            found |= {f"{theirs}.{part}": f"{name}.{part}" for part in ("weight", "bias")}
    return found


def encoded(name: str, values: np.ndarray, matrices: Type) -> tuple[np.ndarray, Type]:
    """Matrices and the word embeddings in the given type; what is small stays in float32."""
    is_small = values.ndim == 1 or name in ("position_embd.weight", "token_types.weight")
    kind = Type.F32 if is_small else matrices
    return gguf.quants.quantize(np.ascontiguousarray(values, dtype=np.float32), kind), kind


def write(checkpoint: Path, out: Path, matrices: Type) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    writer = gguf.GGUFWriter(out, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.BERT])
    writer.add_context_length(config["max_position_embeddings"] - RESERVED_POSITIONS)
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.CLS)
    writer.add_tokenizer_model("no_vocab")
    writer.add_vocab_size(config["vocab_size"])
    writer.add_token_type_count(config["type_vocab_size"])
    with safe_open(checkpoint / "model.safetensors", "numpy") as tensors:
        for theirs, name in tensor_names(config["num_hidden_layers"]).items():
            values = tensors.get_tensor(theirs)
            if name == "position_embd.weight":
                values = values[RESERVED_POSITIONS:]
            data, kind = encoded(name, values, matrices)
            writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a checkpoint as GGUF.")
    parser.add_argument("checkpoint", type=Path, help="directory of a Hugging Face checkpoint")
    parser.add_argument("out", type=Path, help="GGUF file to write")
    parser.add_argument("type", choices=["Q8_0", "F16"], help="type of the matrices")
    arguments = parser.parse_args()
    write(arguments.checkpoint, arguments.out, Type[arguments.type])


if __name__ == "__main__":
    main()
