"""RQ's workers with the job's module imported before they fork, as its documentation advises."""

import rq
from rq.worker import SimpleWorker

from tests.bench import body

IMPORTED = body


class Forking(rq.Worker):
    """Forks for each job."""


class Staying(SimpleWorker):
    """Does each job itself."""
