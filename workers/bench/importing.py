"""Payouts imported and approved per second, each with its work row, its move and its entry in the books."""

import time

from db import installation
from db.bench import proof
from db.payouts import imports
from domain.errors import BrokenError
from domain.samples import sample_payouts
from workers.bench.stand import LONG_SECONDS, SEED, Stand, opened


def import_seconds(stand: Stand, items: int) -> float:
    """How long one import takes, commit included, of lines that are read already. Raises `BrokenError`."""
    lines = list(sample_payouts(items, SEED))
    with stand.database() as url, opened(url) as database:
        database.warm_up()
        began = time.monotonic()
        with database.begin(LONG_SECONDS) as tx:
            own = installation.get(tx).id
            imports.take_over(tx, own, imports.Lines(lines=lines, approve=True), actor="bench")
        seconds = time.monotonic() - began
        with database.begin(LONG_SECONDS) as tx:
            waiting = proof.left(tx)
    if waiting != items:
        raise BrokenError(f"of {items} imported payouts {waiting} wait to be sent")
    return seconds
