"""What must hold of the webinar at the end of the demo: places, money and mails, each against somebody else's word."""

from collections import Counter
from collections.abc import Sequence

from workers.demo.story import OFFERED, TOLD
from workers.demo.verdict import Promise
from workers.practice import Counted


def came_to_its_end(trouble: str) -> Promise:
    """Say whether everybody was answered as the story has it: `trouble` is what they were not."""
    return Promise(
        name="the story came to its end: a webinar that sold out, and what borrowers paid",
        holds=not trouble,
        detail=trouble
        or "a cancellation, a refund, offers, one that expired; shares, suspense, one match",
    )


def places(participants: Sequence[str], capacity: int, confirmed: int) -> Promise:
    """Say whether as many take part as there are places, each once: by the host's list, and by our seats."""
    return Promise(
        name="each place of the webinar is somebody's, once",
        holds=len(set(participants)) == len(participants) == capacity == confirmed,
        detail=f"{capacity} places, {confirmed} confirmed, {len(set(participants))} take part",
    )


def captured(counted: Counted, clearing: tuple[int, int]) -> Promise:
    """Say whether what the gateway took, less what it gave back, is what the books say it owes us."""
    at_gateway = counted.captured_minor - counted.refunded_minor
    ours = clearing[0] - clearing[1]
    return Promise(
        name="what customers paid at the gateway, less what it gave back, is in the books",
        holds=ours == at_gateway and counted.captures > 0 and counted.refunds > 0,
        detail=f"{at_gateway} and {ours} minor units; captures {counted.captures}, refunds {counted.refunds}",
    )


def told_once(letters: Counter[tuple[str, str]]) -> Promise:
    """Say whether each mail came once, and there was one of each kind at least.

    An offer may come again, under its own Message-ID: who does not hear of it loses the place.
    """
    twice = [
        f"{subject} to {who}"
        for (who, subject), times in letters.items()
        if times > 1 and not subject.startswith(OFFERED)
    ]
    missing = [kind for kind in TOLD if not any(subject.startswith(kind) for _, subject in letters)]
    detail = f"{letters.total()} mails"
    detail += f"; twice: {', '.join(twice)}" if twice else ""
    detail += f"; none of: {', '.join(missing)}" if missing else ""
    return Promise(name="each mail came once", holds=not twice and not missing, detail=detail)
