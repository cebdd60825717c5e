"""What the system tells of processes and of the machine."""

import os
import platform
import re
from pathlib import Path

INSTRUCTION_SETS = ("avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def resident_bytes(process: int) -> int:
    """Resident memory of a process, mapped files included."""
    return 1024 * field(Path(f"/proc/{process}/status"), "VmRSS")


def available_bytes() -> int:
    """Memory that new processes can have without swapping."""
    return 1024 * field(Path("/proc/meminfo"), "MemAvailable")


def field(path: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", path.read_text(), re.MULTILINE)
    if not found:
        raise ValueError(f"{path} has no {name}")
    return int(found[1])


def machine() -> dict:
    """The properties of this machine that decide how fast a model runs."""
    description = Path("/proc/cpuinfo").read_text()
    name = re.search(r"^model name\s*:\s*(.+)", description, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)", description, re.MULTILINE)
    known = set(flags[1].split()) if flags else set()
    return {
        "processor": name[1].strip() if name else platform.machine(),
        "logical_processors": os.cpu_count(),
        "available_threads": len(os.sched_getaffinity(0)),
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in known],
        "memory_bytes": 1024 * field(Path("/proc/meminfo"), "MemTotal"),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }
