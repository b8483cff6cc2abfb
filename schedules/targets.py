"""What a schedule's tick puts on record, from the jobs there are."""

from collections.abc import Iterable

from db.ticks import Target
from jobs.shapes import Job


def targets_of(jobs: Iterable[type[Job]]) -> dict[str, Target]:
    """Return the target of each job by name; a sweep never starts beside itself."""
    return {
        job.name: Target(
            job=job.name,
            queue=job.queue.value,
            version=job.version,
            is_alone=job.shape == "sweep",
        )
        for job in jobs
    }
