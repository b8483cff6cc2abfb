"""`python -m workers.cli`: the same as `bursar`."""

import sys

from workers.cli import main

if __name__ == "__main__":
    sys.exit(main())
