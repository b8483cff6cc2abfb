"""A worker process whose one job notes when its first statement runs: all around it is the product's."""

import os
import sys
import threading
from dataclasses import replace

from db.clock import now
from db.tx import Tx
from db.work import ClaimOrder
from domain.tally import Tally
from jobs.shapes import Chore, Done, Job, Queue
from workers.bench.child import tell
from workers.broker import open_broker, start_worker
from workers.composition import process
from workers.logs import configure
from workers.process import THREADS
from workers.servers import read_settings, servers
from workers.sweep import SweepThread


class Note(Chore):
    """Say when its first statement ran, by the database's clock."""

    name = "bench.note"
    queue = Queue.MONEY

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Note the time; nothing is ever due."""
        tell(run=order.run, at=now(tx).timestamp())
        return Done(taken=0, tally=Tally())


def main() -> None:
    """Take runs as the broker rings for them, until the input ends."""
    settings = read_settings({**os.environ, "BURSAR_LOG_LEVEL": "warning"})
    configure(settings)
    with (
        servers(settings) as addresses,
        process(settings, addresses, application="bursar bench", stop=threading.Event()) as parts,
    ):
        jobs: dict[str, Job] = {Note.name: Note()}
        made = replace(parts, jobs=jobs, runner=replace(parts.runner, jobs=jobs))
        made.database.warm_up()

        def handle(run: int) -> None:
            made.runner.execute(run)

        serving = start_worker(open_broker(addresses.broker_url), handle, queue_threads=THREADS)
        sweep = SweepThread(made, serving)
        sweep.start()
        tell(ready=True)
        sys.stdin.read()
        serving.stop(5.0)
        sweep.stop()


if __name__ == "__main__":
    main()
