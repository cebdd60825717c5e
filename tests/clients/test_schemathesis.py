"""`schemathesis` sends what our own document allows and forbids, and compares the answers with what it promises."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = 60
SECONDS = 110


def test_every_operation_keeps_what_the_document_promises(server, tmp_path):
    # The same requests each time, and nothing left behind.
    command = [
        *[Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml"],
        *["run", f"{server.url}/openapi.json", "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1"],
        *["--generation-deterministic", "--no-color"],
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS)
    assert run.returncode == 0, run.stdout + run.stderr
