"""The demo from a fresh home to its verdict: import, processes, a story, one SIGKILL, drained, judged."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from db import applications, installation, operators
from db.clock import now
from db.engine import Database
from db.payouts import imports
from domain.payout_lines import payout_records
from domain.payout_rules import RAZORPAYX
from workers.databases import open_database
from workers.demo.cast import bring_in
from workers.demo.lending import Lending
from workers.demo.result import Result
from workers.demo.shop import Shop, Till
from workers.demo.show import Show
from workers.demo.story import OPERATIONS, Story
from workers.demo.view import View
from workers.files import read_file
from workers.logs import configure
from workers.mail.box import kept
from workers.servers import SandboxPlan
from workers.signals import survive_stop
from workers.supervisor import Output, Supervisor
from workers.up import Site, programs, site

FAULTS: Final = "drop=0.03,error=0.01,refuse=0.02,event_twice=0.02,event_forged=0.02"
"""3 % of replies lost after the bank paid, 1 % server errors after it paid, 2 % refusals; of its
webhooks 2 % come twice, and beside 2 % a forger tells the opposite."""
RATE_PER_SECOND: Final = 400.0
OPERATORS: Final = ("asha", "ravi")
IMPORT_SECONDS_MAX: Final = 120.0
MAILS_MAX: Final = 200
ENVIRONMENT: Final = {
    "BURSAR_RECOVER_SECONDS": "1,2,4",
    "BURSAR_HEAL_SECONDS": "1",
    "BURSAR_LOG_FORMAT": "json",
    "BURSAR_GATEWAY_RATE_PER_SECOND": f"{RATE_PER_SECOND / 2:g}",
}
OFFERS: Final = {"BURSAR_OFFER_SECONDS": "20", "BURSAR_OFFER_REMINDER_SECONDS": "8"}
"""Unless they are set: nobody watches a demo for two days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be shown."""

    home: Path
    file: Path
    seed: int
    seconds_max: float
    workers: int = 2


def run(environ: Mapping[str, str], plan: Plan) -> Result:
    """Run the whole demo in `plan.home`; every process and server of it has ended afterwards."""
    wanted = SandboxPlan.make(0, faults=FAULTS, seed=plan.seed, rate_per_second_max=RATE_PER_SECOND)
    told = {**OFFERS, **environ, **ENVIRONMENT}
    result = Result()
    with ExitStack() as stack:
        made = stack.enter_context(site(told, plan.home, wanted))
        database = open_database(
            made.settings,
            made.addresses,
            role="bursar_operator",
            application="bursar demo",
            pool_max=2,
        )
        stack.callback(database.dispose)
        result.operators = _make_operators(database)
        total = _import(database, plan.file)
        view = stack.enter_context(View(total))
        view.say(f"{total} payouts of {plan.file.name} imported and approved; home {plan.home}")
        story = stack.enter_context(_story(made, database, view))
        lending = Lending(database, [f"operator:{name}" for name in OPERATORS], view.say)
        with database.begin() as tx:
            lending.bring_in(tx)
        log = stack.enter_context((plan.home / "processes.log").open("w", encoding="utf-8"))
        configure(made.settings, log)
        house = Supervisor(programs(made, told, worker_copies=plan.workers), Output(log))
        show = Show(made, database, view, house, result, story, lending, plan.seconds_max)
        house.run(until=show.step)
        survive_stop()
        result.stopped, result.gave_up = house.asked_to_stop, house.given_up()
    return result


def _make_operators(database: Database) -> dict[str, str]:
    tokens = {name: secrets.token_urlsafe(24) for name in OPERATORS}
    with database.begin() as tx:
        for name, token in tokens.items():
            operators.add(tx, name, token, by="demo")
    return tokens


def _import(database: Database, file: Path) -> int:
    lines = read_file(file, payout_records(lambda: RAZORPAYX)).whole().lines
    with database.begin(IMPORT_SECONDS_MAX) as tx:
        order = imports.Lines(lines=lines, file=file.name, approve=True)
        done = imports.take_over(
            tx, installation.get(tx).id, order, actor=f"operator:{OPERATORS[0]}"
        )
    return done.created


@contextmanager
def _story(made: Site, database: Database, view: View) -> Iterator[Story]:
    """Bring in who acts, and let their shop in."""
    token = secrets.token_urlsafe(24)
    with database.begin() as tx:
        applications.add(tx, "shop", token, OPERATIONS, by="demo")
        bring_in(tx, installation.get(tx), now(tx), f"operator:{OPERATORS[0]}")
    if made.sandbox is None:
        raise AssertionError("the demo runs on its own bank")
    with closing(Shop(made.web_url, token)) as shop, closing(Till(made.sandbox)) as till:
        yield Story(shop, till, lambda: kept(made.home, MAILS_MAX), view.say)
