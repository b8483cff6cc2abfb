"""The keeper: a small process, child of nobody, that holds a home's servers while they have users.

Two wishes pull apart. Servers must die with whoever started them, even when that is killed (their
death signal follows the parent), and yet the first `up` on a home may end while a second one, or an
operator's command, still uses the same servers. So no user is the parent: `start` makes a keeper,
and the keeper is the parent of both servers.

- A user holds the shared lock `users.lock`. The kernel lets go of it however the user dies, so a
  SIGKILLed `up` and its children leave nothing running.
- The keeper holds `keeper.lock` from before its first instruction (it inherits the locked file from
  `start`) to its last. Who finds it free may make the next keeper; nobody else may touch the data.
- Ten times a second the keeper tries to take `users.lock` alone. It gets it when the last user is
  gone, keeps it while it stops the servers (newcomers wait), and gives both locks back by ending.
- SIGKILL of the keeper: the death signal stops both servers cleanly; users get connection errors;
  the next `start` finds `keeper.lock` free, waits for the last old server process by the lock that
  those inherited on their data, sweeps the old sockets, and recovers.
- A server that dies under the keeper is started again, a bounded number of times.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from domain.errors import BadInputError, UnreachableError
from workers.embedded.homes import Home
from workers.embedded.pairs import Pair
from workers.embedded.postgres import Tuning

LOOK_SECONDS = 0.1
RESTARTS_MAX = 10
ENDS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


def main(home_path: str, shared_buffers_mb: str, wal_mb_max: str, connections_max: str) -> None:
    """Leave the family of who started us, then keep the servers; the answer goes to stdout."""
    if os.fork() > 0:
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {*ENDS, signal.SIGCHLD})
    tuning = Tuning(
        shared_buffers_mb=int(shared_buffers_mb),
        wal_mb_max=int(wal_mb_max),
        connections_max=int(connections_max),
    )
    home = Home(Path(home_path))
    try:
        home.record.unlink(missing_ok=True)
        pair = Pair.prepare(home, tuning)
        pair.start()
    except BadInputError as error:
        _report({"place": error.place, "value": str(error.value), "rule": error.rule})
    except UnreachableError as error:
        _report({"unreachable": str(error)})
    except OSError as error:
        _report({"unreachable": f"the home {home.path} cannot be used: {error}"})
    else:
        try:
            _write_record(home, pair)
            _report({})
            _keep(home, pair)
        finally:
            home.record.unlink(missing_ok=True)
            pair.stop()


def _keep(home: Home, pair: Pair) -> None:
    """Return when nobody uses the servers, or somebody asked us to end."""
    users = home.users_lock()  # held until this process ends, so that newcomers wait for the end
    restarts = 0
    while not users.take():
        caught = signal.sigtimedwait({*ENDS, signal.SIGCHLD}, LOOK_SECONDS)
        if caught is not None and caught.si_signo in ENDS:
            return
        for child in (pair.redis, pair.postgres):
            if not child.running:
                restarts += 1
                sys.stderr.write(f"{child.program.name} ended, start {restarts}\n")
                if restarts > RESTARTS_MAX:
                    return
                child.start()


def _write_record(home: Home, pair: Pair) -> None:
    """Say what runs, in one rename."""
    facts = {
        "keeper": os.getpid(),
        "sockets": str(pair.sockets),
        "postgres": pair.postgres.pid,
        "redis": pair.redis.pid,
    }
    draft = home.record.with_suffix(".new")
    draft.write_text(json.dumps(facts))
    draft.replace(home.record)


def _report(answer: dict[str, str]) -> None:
    """Answer `start` on stdout, then let go of it: from here on stdout is the log."""
    with suppress(BrokenPipeError):
        os.write(1, json.dumps(answer).encode() + b"\n")
    os.dup2(2, 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
