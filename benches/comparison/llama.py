"""llama.cpp through its C interface: token ids in, pooled vectors out.

The C interface takes token ids, so that the tokenizer of the GGUF file does not matter. A batch holds every text as a
sequence of its own, without padding.
"""

from pathlib import Path

import numpy as np

from comparison.candidates import CandidateError, Models
from comparison.workload import Call

MOST_TOKENS = 512
MOST_TEXTS = 32


class Llama:
    """A GGUF file, loaded."""

    def __init__(self, path: Path, threads: int) -> None:
        import llama_cpp

        self.api = llama_cpp
        # What it logs about a model would hide this script's own lines.
        self.ignore = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.ignore, None)
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.model:
            raise CandidateError(f"llama.cpp cannot load {path.name}")
        self.context = llama_cpp.llama_init_from_model(self.model, self.context_parameters(threads))
        if not self.context:
            raise CandidateError("llama.cpp cannot create a context")
        self.dimensions = llama_cpp.llama_model_n_embd(self.model)
        self.batch = llama_cpp.llama_batch_init(MOST_TOKENS, 0, 1)

    def context_parameters(self, threads: int) -> object:
        parameters = self.api.llama_context_default_params()
        # An encoder keeps nothing between calls, and takes all tokens of a call at once.
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = MOST_TOKENS
        parameters.n_seq_max = MOST_TEXTS
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.embeddings = True
        parameters.pooling_type = self.api.LLAMA_POOLING_TYPE_CLS
        return parameters

    def prepare(self, call: Call) -> np.ndarray:
        return call.ids

    def run(self, prepared: np.ndarray) -> np.ndarray:
        self.fill(prepared)
        if status := self.api.llama_encode(self.context, self.batch):
            raise CandidateError(f"llama_encode failed with {status}")
        pooled = [self.api.llama_get_embeddings_seq(self.context, text) for text in range(len(prepared))]
        vectors = np.stack([np.ctypeslib.as_array(each, (self.dimensions,)) for each in pooled])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def fill(self, ids: np.ndarray) -> None:
        place = 0
        for text, row in enumerate(ids.tolist()):
            for position, token in enumerate(row):
                self.batch.token[place] = token
                self.batch.pos[place] = position
                self.batch.n_seq_id[place] = 1
                self.batch.seq_id[place][0] = text
                self.batch.logits[place] = 1
                place += 1
        self.batch.n_tokens = place

    def properties(self) -> dict[str, str]:
        return {"llama_print_system_info": self.api.llama_print_system_info().decode().strip()}


class LlamaQ8(Llama):
    """Weights of 8 bits in blocks of 32; activations are quantized to 8 bits, too."""

    def __init__(self, models: Models, threads: int) -> None:
        super().__init__(models.gguf_q8_0, threads)


class LlamaF16(Llama):
    """Weights in half precision."""

    def __init__(self, models: Models, threads: int) -> None:
        super().__init__(models.gguf_f16, threads)
