"""Small files that a crash must not tear, and commands."""

import os
import subprocess
from pathlib import Path

import orjson

from errors import ApiError


def read_json(path: Path):
    return orjson.loads(path.read_bytes())


def write_json(path: Path, value) -> None:
    """Written beside, synced, renamed: after a crash the file is the old one or the new one."""
    beside = path.with_name(path.name + ".tmp")
    with beside.open("wb") as file:
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ApiError(500, f"Service internal error: {command[0]}: {done.stderr.strip()[-300:]}")
