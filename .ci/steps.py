"""steps.py DIRECTORY WORKFLOW...: writes the script of every step of the workflows into a file of its own."""

import re
import sys
from pathlib import Path

import yaml

directory = Path(sys.argv[1])
for workflow in map(Path, sys.argv[2:]):
    for name, job in yaml.safe_load(workflow.read_text())["jobs"].items():
        for number, step in enumerate(job.get("steps", [])):
            if "run" in step:
                # GitHub inserts the value before a shell runs the script.
                script = re.sub(r"\$\{\{.*?\}\}", "value", step["run"])
                (directory / f"{workflow.stem}-{name}-{number}").write_text(script)
