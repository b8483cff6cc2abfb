"""At most one `up` in a home, and a note of where its things are."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from domain.errors import UnreachableError
from workers.embedded.locks import FileLock

Note = Callable[[Mapping[str, str]], None]


@contextmanager
def running_here(home: Path) -> Iterator[Note | None]:
    """Yield a function that writes down where things are; None where another `up` holds the home.

    The kernel gives the lock back however its holder ends.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(home / "up.lock")
    except OSError as error:
        raise UnreachableError(f"the home {home} cannot be used: {error}") from error
    with lock:
        if not lock.take():
            yield None
            return
        place = home / "up.json"
        try:
            yield lambda facts: _write(place, facts)
        finally:
            place.unlink(missing_ok=True)


def _write(place: Path, facts: Mapping[str, str]) -> None:
    draft = place.with_suffix(".new")
    draft.write_text(json.dumps(dict(facts), indent=1), encoding="utf-8")
    draft.replace(place)
