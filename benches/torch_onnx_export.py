"""Exports a checkpoint to ONNX with PyTorch, for comparison with our own exporter.

The graph is the transformer, CLS pooling and L2 normalisation, with batch size and
sequence length left open. The weights go to OUT.onnx.data:

    python benches/torch_onnx_export.py CHECKPOINT OUT.onnx
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import AutoModel


class DenseEncoder(nn.Module):
    """Token ids and mask to unit vectors, as SentenceTransformer computes them."""

    def __init__(self, checkpoint: Path) -> None:
        super().__init__()
        self.transformer = AutoModel.from_pretrained(checkpoint, add_pooling_layer=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.transformer(input_ids=input_ids, attention_mask=attention_mask)
        return normalize(hidden.last_hidden_state[:, 0], dim=-1)


def export(checkpoint: Path, out: Path) -> None:
    model = DenseEncoder(checkpoint).eval()
    # Both sizes must be above 1 or the exporter takes them for constants.
    input_ids = torch.full((2, 16), 5)
    attention_mask = torch.ones_like(input_ids)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    torch.onnx.export(
        model,
        (input_ids, attention_mask),
        str(out),
        input_names=["input_ids", "attention_mask"],
        output_names=["dense_vecs"],
        dynamic_shapes={"input_ids": axes, "attention_mask": axes},
        external_data=True,
        dynamo=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Export a checkpoint with torch.onnx.")
    parser.add_argument("checkpoint", type=Path, help="directory of a Hugging Face checkpoint")
    parser.add_argument("out", type=Path, help="ONNX file to write")
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    export(arguments.checkpoint, arguments.out)


if __name__ == "__main__":
    main()
