"""`python -m tests.gate [REPORT]`: make the pages; with a JUnit report of the crash explorer the gate too.

Exit 1 where the gate has an empty cell.
"""

import sys
from pathlib import Path

from tests.gate.pages import EMPTY, GATE, TESTING, explored, gate, with_tables


def main(arguments: list[str]) -> int:
    """Write the pages; returns the exit code."""
    TESTING.write_text(with_tables(TESTING.read_text(encoding="utf-8")), encoding="utf-8")
    if not arguments:
        return 0
    page = gate(explored(Path(arguments[0])))
    GATE.write_text(page, encoding="utf-8")
    empty = [line for line in page.splitlines() if EMPTY in line]
    sys.stderr.write("".join(f"not proven: {line}\n" for line in empty))
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
