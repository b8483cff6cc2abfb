"""Offers, reminders and ends of a long waitlist a second, by one worker; mail is taken at the port."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Final

from db import switches, wakes
from db.bench import lining
from db.engine import Database, DatabaseOptions
from domain.errors import BrokenError
from domain.mails import Letter, MailAnswer, Taken
from domain.switches import MAILS
from domain.waitlist import OfferPolicy
from jobs.mails.send import SendMails
from jobs.shapes import Job
from jobs.waitlist.expire import ExpireOffers
from jobs.waitlist.offer import OfferPlaces
from jobs.waitlist.remind import RemindOffered
from workers.bench.stand import LONG_SECONDS, Stand, opened
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner

SECONDS_MAX: Final = 600.0
TO_REMINDER_HOURS, TO_END_HOURS = 37, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """How long each of the jobs took for all entries, in seconds; `mails` of the offers alone."""

    offer: float
    mails: float
    remind: float
    expire: float


class _Taker:
    """Implements `Mail`: takes everything at once."""

    provider = "smtp"
    account = "bench:25"

    def freeze(self, letter: Letter) -> str:
        """The facts and whom they are for: about half of what a rendered mail is."""
        fields = {"to": letter.recipient, "id": letter.key.hex, "facts": letter.facts}
        return json.dumps(fields, separators=(",", ":"))

    def send(self, request: str) -> MailAnswer:
        """Take it."""
        name = json.loads(request)["id"]
        return Taken(message_id=f"<{name}@bench>", reply="250 OK")


def wait_out(stand: Stand, items: int) -> Waited:
    """Let `items` entries be offered a place, told of it, reminded, and expire. Raises `BrokenError`."""
    with stand.database() as url:
        with opened(url) as owner, owner.begin(LONG_SECONDS) as tx:
            switches.turn(tx, MAILS, on=True, who="bench", why="it is measured")
        with opened(url, role=None) as owner:
            with owner.begin(LONG_SECONDS) as tx:
                lining.line_up(tx, items)
            offer = _run(url, OfferPlaces(OfferPolicy()))
            _proven(owner, "NOTIFIED", items)
            mails = _run(url, SendMails(_Taker(), call_seconds_max=1.0))
            with owner.begin(LONG_SECONDS) as tx:
                if lining.mails_sent(tx) != items:
                    raise BrokenError(f"not each of {items} mails was sent")
                lining.pass_time(tx, TO_REMINDER_HOURS)
            remind = _run(url, RemindOffered())
            _proven(owner, "REMINDED", items)
            with owner.begin(LONG_SECONDS) as tx:
                lining.pass_time(tx, TO_END_HOURS)
            expire = _run(url, ExpireOffers())
            _proven(owner, "EXPIRED", items)
    return Waited(offer=offer, mails=mails, remind=remind, expire=expire)


def _proven(owner: Database, state: str, items: int) -> None:
    with owner.begin(LONG_SECONDS) as tx:
        found = lining.states(tx)
    if found != [(state, items)]:
        raise BrokenError(f"{items} entries should be {state}, there are {found}")


def _run(url: str, job: Job) -> float:
    """One run of the product's own runner, until nothing is due; how long it took."""
    database = Database(DatabaseOptions(url=url, application="bursar bench worker"))
    runner = Runner(
        database=database,
        jobs={job.name: job},
        bounds=Bounds(budget_seconds=SECONDS_MAX),
        worker="bench:wait",
        ring=lambda _made: None,
        stop=threading.Event(),
    )
    try:
        made = database.transact(lambda tx: wakes.wake(tx, [job.known()]))
        if not made:
            raise BrokenError(f"nothing is due for {job.name}")
        began = time.monotonic()
        runner.execute(made[0][0])
        return time.monotonic() - began
    finally:
        database.dispose()
