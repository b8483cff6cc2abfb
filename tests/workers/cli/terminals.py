"""A real terminal of a width of its own, and what a command writes to it."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
ROWS: Final = 40
RUN: Final = """
import json, sys
from workers.cli import main
for words in json.loads(sys.argv[1]):
    print(f"\\x1e{main(words)}", flush=True)
"""
"""Runs one command line after another; each ends with its exit code behind a record separator."""
STYLES: Final = re.compile("\x1b\\[[0-9;?]*[a-zA-Z]")


def on_terminal(lines: Sequence[Sequence[str]], columns: int) -> list[tuple[int, list[str]]]:
    """Run command lines on one terminal; returns for each its exit code and the lines that stood there."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps([list(words) for words in lines])],
        cwd=ROOT,
        env={**kept, "TERM": "xterm"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    ) as process:
        os.close(its)
        text = _all_of(ours)
        assert process.wait() == 0, text
    parts = re.split(r"\x1e(\d+)\n", text)
    return [
        (int(code), written.splitlines())
        for written, code in zip(parts[:-1:2], parts[1::2], strict=True)
    ]


def _all_of(terminal: int) -> str:
    """Read until nobody has the other end any more."""
    parts = []
    with open(terminal, "rb", buffering=0) as stream:
        try:
            while part := stream.read(65_536):
                parts.append(part)
        except OSError:  # so Linux says that the other end is closed
            pass
    return STYLES.sub("", b"".join(parts).decode()).replace("\r\n", "\n")
