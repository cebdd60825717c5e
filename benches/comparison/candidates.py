"""The runtimes that are compared with ours, each as a class that loads a model and runs calls.

Every candidate computes CLS pooling and vectors of length 1. `run` gets what `prepare` made of a call; only `run` is timed.
Packages are imported where they are used, so that one which is missing stops no other candidate.
"""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from comparison.workload import Call


class CandidateError(Exception):
    """A candidate that cannot be had, or that failed."""


@dataclass(frozen=True)
class Models:
    """The same weights in the form of each runtime."""

    checkpoint: Path
    onnx: Path
    gguf_q8_0: Path
    gguf_f16: Path


class Candidate(Protocol):
    """A loaded model."""

    def prepare(self, call: Call) -> Any:
        """What `run` takes, made outside of the measured time."""

    def run(self, prepared: Any) -> np.ndarray:
        """Unit vectors, float32 of shape [texts, dimensions]."""

    def properties(self) -> dict[str, str]:
        """What the runtime says of itself once the model is loaded."""


@dataclass(frozen=True)
class Kind:
    """How a candidate is named, what it needs (packages, the file of `Models`, memory), and whether it computes in fp32."""

    name: str
    label: str
    load: str
    packages: tuple[str, ...]
    file: str
    gigabytes: float
    is_fp32: bool

    def versions(self) -> dict[str, str]:
        """Installed versions of its packages; absent ones are left out."""
        found = {}
        for package in self.packages:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
        return found


class SentenceTransformers:
    """PyTorch as the documentation of sentence-transformers shows it, with its tokenization."""

    def __init__(self, models: Models, threads: int) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        self.model = SentenceTransformer(str(models.checkpoint), device="cpu")

    def prepare(self, call: Call) -> list[str]:
        return call.texts

    def run(self, prepared: list[str]) -> np.ndarray:
        return self.model.encode(prepared, batch_size=len(prepared), show_progress_bar=False)

    def properties(self) -> dict[str, str]:
        return {"dtype": str(next(self.model.parameters()).dtype)}


class OnnxRuntime:
    """ONNX Runtime on the graph of torch.onnx.export: the session alone."""

    def __init__(self, models: Models, threads: int) -> None:
        from comparison.onnx_session import open_session

        self.session = open_session(models.onnx, threads)

    def prepare(self, call: Call) -> dict[str, np.ndarray]:
        return {"input_ids": call.ids, "attention_mask": np.ones_like(call.ids)}

    def run(self, prepared: dict[str, np.ndarray]) -> np.ndarray:
        return self.session.run(["dense_vecs"], prepared)[0]

    def properties(self) -> dict[str, str]:
        return {"providers": ", ".join(self.session.get_providers())}


class OpenVino:
    """OpenVINO on the same graph, with a hint of the precision that it should compute in.

    Where it does not follow the hint it is left out, because it would be the candidate of another precision once more.
    """

    precision = "f32"

    def __init__(self, models: Models, threads: int) -> None:
        import openvino

        options = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        core = openvino.Core()
        self.model = core.compile_model(core.read_model(models.onnx), "CPU", options)
        computed = self.model.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        if computed != self.precision:
            raise CandidateError(
                f"OpenVINO computes in {computed} when {self.precision} is asked for (INFERENCE_PRECISION_HINT), "
                "because the processor has no instructions for it"
            )
        self.request = self.model.create_infer_request()
        self.capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")

    def prepare(self, call: Call) -> dict[str, np.ndarray]:
        return {"input_ids": call.ids, "attention_mask": np.ones_like(call.ids)}

    def run(self, prepared: dict[str, np.ndarray]) -> np.ndarray:
        # The next call overwrites the request's own array.
        return np.array(self.request.infer(prepared)[0])

    def properties(self) -> dict[str, str]:
        return {
            "INFERENCE_PRECISION_HINT": self.precision,
            "OPTIMIZATION_CAPABILITIES": ", ".join(self.capabilities),
        }


class OpenVinoBf16(OpenVino):
    """OpenVINO that may compute in bfloat16."""

    precision = "bf16"


KINDS = (
    Kind(
        name="sentence-transformers-pytorch",
        label="sentence-transformers, PyTorch",
        load="comparison.candidates:SentenceTransformers",
        packages=("sentence-transformers", "torch", "transformers"),
        file="checkpoint",
        gigabytes=2.5,
        is_fp32=True,
    ),
    Kind(
        name="onnxruntime-torch-export",
        label="ONNX Runtime, PyTorch's export",
        load="comparison.candidates:OnnxRuntime",
        packages=("onnxruntime", "torch", "onnxscript"),
        file="onnx",
        gigabytes=2,
        is_fp32=True,
    ),
    Kind(
        name="openvino-f32",
        label="OpenVINO f32",
        load="comparison.candidates:OpenVino",
        packages=("openvino",),
        file="onnx",
        gigabytes=4.5,
        is_fp32=True,
    ),
    Kind(
        name="openvino-bf16",
        label="OpenVINO bf16",
        load="comparison.candidates:OpenVinoBf16",
        packages=("openvino",),
        file="onnx",
        gigabytes=4.5,
        is_fp32=False,
    ),
    Kind(
        name="llama-cpp-q8_0",
        label="llama.cpp Q8_0",
        load="comparison.llama:LlamaQ8",
        packages=("llama-cpp-python", "gguf"),
        file="gguf_q8_0",
        gigabytes=1,
        is_fp32=False,
    ),
    Kind(
        name="llama-cpp-f16",
        label="llama.cpp F16",
        load="comparison.llama:LlamaF16",
        packages=("llama-cpp-python", "gguf"),
        file="gguf_f16",
        gigabytes=1.5,
        is_fp32=False,
    ),
)
