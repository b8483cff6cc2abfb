"""PgQueuer on the same servers, paying payouts one statement each: what a good queue without sets does."""

import asyncio
import json
import queue
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Final

from db.bench import peers
from db.bench.recording import connection_options
from domain.errors import BrokenError, RefusedError
from workers.bench import peer_child
from workers.bench.stand import LONG_SECONDS, Stand, opened
from workers.bench.talkers import Said, say, talkers

BATCH: Final = 100
"""Its best in our trials; its default is 10."""
START_SECONDS_MAX: Final = 30.0
SECONDS_MAX: Final = 600.0


def is_installed() -> bool:
    """Whether there is something to compare with."""
    return find_spec("pgqueuer") is not None


def require() -> None:
    """Raise `RefusedError` where PgQueuer is not installed."""
    if not is_installed():
        raise RefusedError(
            "PgQueuer is not installed, and nothing of Bursar needs it: to compare with it, "
            "`.venv/bin/python -m pip install pgqueuer`"
        )


def pgqueuer_per_second(stand: Stand, *, items: int, processes: int) -> float:
    """Payouts paid per second, from the word to its ready workers to the last settle, as ours are."""
    with stand.database("template1") as url, opened(url, role=None, schema="public") as database:
        options = connection_options(database)
        options["options"] = ""
        with database.begin() as tx:
            peers.prepare(tx, items)
        asyncio.run(peer_child.enqueue(options, items))
        began = _work(options, processes)
        with database.begin(LONG_SECONDS) as tx:
            return items / peers.seconds(tx, items, began)


def _work(options: dict[str, str], processes: int) -> datetime:
    """Let it drain; returns when it was told to."""
    told = json.dumps({"options": options, "batch": BATCH})
    heard: queue.SimpleQueue[Said] = queue.SimpleQueue()
    with talkers(
        peer_child.__name__, told, count=processes, hear=lambda _number, said: heard.put(said)
    ) as children:
        for _ in children:
            if _next(heard) != {"ready": True}:
                raise BrokenError("a PgQueuer worker did not start")
        began = datetime.now(UTC)
        for child in children:
            say(child, "go")
        for child in children:
            if child.wait(SECONDS_MAX) != 0:
                raise BrokenError("a PgQueuer worker failed")
    return began


def _next(heard: "queue.SimpleQueue[Said]") -> Said:
    try:
        return heard.get(timeout=START_SECONDS_MAX)
    except queue.Empty as error:
        raise BrokenError("a PgQueuer worker is silent") from error
