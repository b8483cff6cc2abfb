"""A worker of another release: `python -m workers.chaos.release elder|next`, beside those of this one.

The elder knows fewer jobs; the next one knows every job in a later version. Neither is anything but
this code told otherwise, which is what two releases that share a schema are.
"""

import os
import sys
from collections.abc import Mapping
from typing import Final

from domain.errors import ExpectedError
from domain.payouts import FOLLOW
from jobs.catalog import Ports, build
from jobs.shapes import Job
from workers.cli import exit_code
from workers.composition import Release
from workers.logs import configure
from workers.process import run_worker
from workers.servers import Addresses
from workers.settings import load

ELDER: Final = "0.0.1"
NEXT: Final = "99.0.0"
NEXT_VERSION: Final = 2
"""The version of every job there."""
UNKNOWN_TO_THE_ELDER: Final = frozenset({FOLLOW})


def elder(ports: Ports) -> dict[str, Job]:
    """The jobs of a release before one of them was written."""
    return {n: job for n, job in build(ports).items() if n not in UNKNOWN_TO_THE_ELDER}


def newer(ports: Ports) -> dict[str, Job]:
    """The jobs of a release that changed all of them."""
    jobs = build(ports)
    for job in jobs.values():
        type(job).version = NEXT_VERSION
    return jobs


RELEASES: Final[Mapping[str, Release]] = {
    "elder": Release(version=ELDER, build=elder),
    "next": Release(version=NEXT, build=newer),
}


def main(name: str) -> int:
    """Run such a worker until SIGTERM."""
    settings = load(os.environ)
    configure(settings)
    addresses = Addresses(
        database_url=str(settings.database_url),
        broker_url=str(settings.broker_url),
        embedded=False,
    )
    try:
        return run_worker(settings, addresses, release=RELEASES[name])
    except ExpectedError as error:
        return exit_code(error)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
