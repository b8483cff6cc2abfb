"""The timetable: what Bursar does by the clock, on one page. Times are UTC.

An operator may change a rhythm while everything runs (`bursar schedules set`); this page is what
`reset` goes back to. `upkeep.watch` is not here: workers start it themselves, so that it works
when the scheduler is dead.
"""

from typing import Final

from domain.schedules import CatchUp, Rhythm, Schedule


def _cron(job: str, cron: str, catch_up: CatchUp = CatchUp.RUN_LATEST) -> Schedule:
    return Schedule(name=job, job=job, rhythm=Rhythm(cron=cron), catch_up=catch_up)


TIMETABLE: Final = (
    _cron("payouts.batch", "0 5 * * mon"),
    _cron("payouts.org_batch", "30 5 * * mon"),
    _cron("payouts.process", "0 6 * * mon"),
    _cron("payouts.org_process", "30 6 * * mon"),
    _cron("payouts.recover", "*/5 * * * *"),
    _cron("payouts.follow", "*/15 * * * *"),
    _cron("payouts.check_stuck", "10 */4 * * *"),
    _cron("payouts.reconcile", "40 */6 * * *"),
    _cron("waitlist.offer", "*/5 * * * *"),
    _cron("waitlist.remind", "0 * * * *"),
    _cron("waitlist.expire", "*/5 * * * *"),
    _cron("webhooks.apply", "* * * * *"),
    _cron("bookings.expire_checkouts", "*/15 * * * *"),
    _cron("bookings.expire_wishes", "35 * * * *"),
    _cron("bookings.release_tentative", "20 */2 * * *"),
    _cron("bookings.complete", "50 * * * *"),
    _cron("bookings.flag_orphans", "5 * * * *"),
    _cron("dispersals.heal", "*/15 * * * *"),
    _cron("dispersals.disburse", "10 0 * * *"),
    _cron("refunds.submit", "*/5 * * * *"),
    _cron("refunds.recover", "*/5 * * * *"),
    _cron("refunds.cascade", "*/5 * * * *"),
    _cron("cash.reconcile", "0 7 * * *"),
    _cron("upkeep.audit", "0 * * * *"),
    _cron("upkeep.seal", "*/5 * * * *"),
    _cron("upkeep.prune", "30 3 * * *"),
)


def schedule(name: str) -> Schedule | None:
    """The line called `name`, or None."""
    return next((line for line in TIMETABLE if line.name == name), None)
