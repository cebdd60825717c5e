"""The same synthetic weights in the form of each runtime, made once and kept in a folder.

What cannot be made is remembered with its reason, for the candidates that need it. A file that was only begun is never taken
for a complete one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from comparison.candidates import Models

# Where our program keeps what it makes and downloads; the servers inherit it.
CACHE_VARIABLE = "RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY"
BENCHES = Path(__file__).parent.parent


class PreparationError(Exception):
    """A step that failed, with the end of what it printed."""


class Preparation:
    """Makes files in `folder` with `program`, which is our own."""

    def __init__(self, program: Path, folder: Path, size: str) -> None:
        self.program = program
        self.folder = folder / size
        self.size = size
        self.failures: dict[str, str] = {}
        self.folder.mkdir(parents=True, exist_ok=True)
        os.environ[CACHE_VARIABLE] = str(self.folder / "cache")

    def checkpoint(self) -> Path:
        """The checkpoint with random weights, which our program writes."""
        cache = Path(os.environ[CACHE_VARIABLE])
        if not (found := list(cache.glob("checkpoints/*/model.safetensors"))):
            run(self.program, "bench", "--synthetic", self.size, "--quick", "--json")
            # The exported model is not needed.
            shutil.rmtree(cache / "models")
            found = list(cache.glob("checkpoints/*/model.safetensors"))
        return found[0].parent

    def own_model(self, checkpoint: Path, precision: str) -> Path:
        """Our model directory, always made anew, because it belongs to the program's version."""
        target = self.folder / precision
        shutil.rmtree(target, ignore_errors=True)
        run(self.program, "export", checkpoint, target, "--precision", precision)
        return target

    def models(self, checkpoint: Path) -> Models:
        models = Models(
            checkpoint,
            self.folder / "onnx" / "model.onnx",
            self.folder / "model-q8_0.gguf",
            self.folder / "model-f16.gguf",
        )
        self.make("onnx", models.onnx.parent, "torch_onnx_export.py", checkpoint, "{target}/model.onnx")
        for file, type_name in (("gguf_q8_0", "Q8_0"), ("gguf_f16", "F16")):
            self.make(file, getattr(models, file), "-m", "comparison.gguf_file", checkpoint, "{target}", type_name)
        return models

    def make(self, file: str, target: Path, *arguments: str | Path) -> None:
        """Runs Python unless the target is there; it gets another name until it is complete."""
        if target.exists():
            return
        begun = target.with_name(f"begun-{target.name}")
        remove(begun)
        filled = [str(argument).replace("{target}", str(begun)) for argument in arguments]
        try:
            run(sys.executable, *filled)
            begun.rename(target)
        except (PreparationError, OSError) as error:
            remove(begun)
            self.failures[file] = str(error)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def run(*command: str | Path) -> None:
    shown = " ".join(Path(part).name for part in command)
    print(f"preparing: {shown}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=BENCHES, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise PreparationError(f"{Path(command[0]).name} {command[1]} failed: {last}")
