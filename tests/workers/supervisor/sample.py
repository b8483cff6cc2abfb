"""A supervisor in a process of its own: its programs as JSON on the command line."""

import json
import sys

from workers.supervisor import Output, Program, Supervisor


def main(text: str) -> int:
    """Run the programs until told to stop."""
    programs = [
        Program(**{**fields, "arguments": (sys.executable, "-c", fields["arguments"])})
        for fields in json.loads(text)
    ]
    return Supervisor(programs, Output(sys.stdout)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
