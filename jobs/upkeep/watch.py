"""Watch the system from a worker: what is late, stale, silent or parked becomes a finding.

Workers ask for it each minute themselves, so it works when the scheduler is dead. Two pages: the
first looks, and picks what is to be sent; it is sent between them; the second notes what arrived.
So an alert is sent again where a worker dies in between, and never lost.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Self

from db import clock, findings, hearing, switches, watch
from db.tx import Row, Tx
from db.waitlist import untold
from domain.clocks import APART_SECONDS_MAX, Reading, apart_seconds
from domain.findings import Finding, FindingKind
from domain.ports import Alerts
from domain.switches import RESTORED
from domain.tally import Count, Tally
from jobs.ports import Ports
from jobs.shapes import Page, Queue, Sweep

ALERTS_MAX: Final = 20
"""Alerts sent by one run; the next minute sends the next."""
SENT: Final = "sent"


class Watch(Sweep):
    """Look for what is late, stale, silent or parked, and send what a person must see.

    `wall` is the clock of the machine `host`, compared with the database's where it is given; `hears`
    says whether webhooks of the provider are expected.
    """

    name: ClassVar[str] = "upkeep.watch"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def __init__(
        self,
        alerts: Alerts | None,
        *,
        wall: Callable[[], datetime] | None = None,
        host: str = "",
        hears: bool = False,
    ) -> None:
        self.alerts, self.wall, self.host, self.hears = alerts, wall, host, hears
        self._outbox: list[dict[str, object]] = []
        self._delivered: list[str] = []
        self._run: int | None = None
        self._is_due = False

    @classmethod
    def made(cls, ports: Ports) -> Self:
        """Where there is nobody to alert, findings wait to be read."""
        return cls(ports.alerts, hears=ports.hears)

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Look and pick, or note what was delivered."""
        if SENT in cursor:
            # Taken over from a process that died: what it sent is not known, so it is sent again.
            return Page(cursor=None, tally=self._note(tx) if run == self._run else Tally())
        _observe(tx)
        untold.look_again(tx)
        self._compare_clocks(tx)
        _listen(tx, hears=self.hears)
        self._run, self._is_due, self._delivered = run, True, []
        if self.alerts is not None:
            self._outbox = [_document(row) for row in findings.to_alert(tx, ALERTS_MAX)]
        return Page(cursor={SENT: True}, tally=Tally())

    def outside(self) -> Tally:
        """Send what was picked, up to the first that does not arrive, and the heartbeat."""
        if self.alerts is None or not self._is_due:
            return Tally()
        self._is_due = False
        for document in self._outbox:
            if not self.alerts.send(document):
                break
            self._delivered.append(str(document["key"]))
        self.alerts.heartbeat()
        return Tally({Count.PROCESSED: len(self._outbox), Count.SUCCEEDED: len(self._delivered)})

    def _note(self, tx: Tx) -> Tally:
        findings.mark_alerted(tx, self._delivered)
        lost = len(self._outbox) - len(self._delivered)
        kind = FindingKind.ALERT_UNDELIVERED
        detail = f"{lost} alerts wait; the first: {self._outbox[-lost]['key']}" if lost else ""
        seen = [Finding(kind=kind, subject="BURSAR_ALERT_URL", detail=detail)] if lost else []
        findings.observe(tx, kind, seen)
        return Tally({Count.FAILED: lost})

    def _compare_clocks(self, tx: Tx) -> None:
        if self.wall is None:
            return
        before = self.wall()
        database = clock.now(tx)
        reading = Reading(before=before, database=database, after=self.wall(), monotonic_seconds=0)
        apart = apart_seconds(reading)
        detail = f"its clock is {apart:+.1f} s from the database's"
        finding = Finding(kind=FindingKind.CLOCK_SKEW, subject=f"worker {self.host}", detail=detail)
        if abs(apart) > APART_SECONDS_MAX:
            findings.report(tx, [finding])
        else:
            findings.cease(tx, [finding.key])


def _observe(tx: Tx) -> None:
    late = watch.late_schedules(tx)
    silent = [f"{x.schedule} is {x.seconds:.0f} s late" for x in late if not x.others_go_on]
    if watch.never_scheduled(tx):
        silent.append("no scheduler was ever seen")
    _say(tx, FindingKind.SCHEDULER_SILENT, {"scheduler": "; ".join(silent)} if silent else {})
    missed = {x.schedule: f"{x.seconds:.0f} s late" for x in late if x.others_go_on}
    _say(tx, FindingKind.TICK_MISSED, missed)
    nobody = {r.job: f"due since {r.oldest:%Y-%m-%d %H:%M} UTC" for r in watch.nobody_knows(tx)}
    _say(tx, FindingKind.JOB_NOBODY_KNOWS, nobody)
    parked = {r.job: f"{r.items} parked; the oldest: {r.reason}" for r in watch.parked(tx)}
    _say(tx, FindingKind.WORK_PARKED, parked)
    stale = {
        f"queue {r.queue}": f"{r.runs} runs, the oldest due for {r.oldest_seconds:.0f} s"
        for r in watch.stale_runs(tx)
    }
    _say(tx, FindingKind.OUTBOX_STALE, stale)
    quiet = {r.id: f"last heard of at {r.beat_at:%H:%M:%S} UTC" for r in watch.silent_workers(tx)}
    _say(tx, FindingKind.WORKER_SILENT, quiet)
    on = switches.all_on(tx)
    restored = {"installation": on[RESTORED].why} if RESTORED in on else {}
    _say(tx, FindingKind.DATABASE_RESTORED, restored)
    braked = {
        name.removeprefix("brake:"): switch.why
        for name, switch in on.items()
        if name.startswith("brake:")
    }
    _say(tx, FindingKind.PROVIDER_BRAKE, braked)


def _listen(tx: Tx, *, hears: bool) -> None:
    """Say where the provider tells nothing of payouts that are paid: its next event ends that, no quiet hour."""
    heard = hearing.heard(tx)
    if heard is None:
        return
    since = (
        f"for {hearing.SILENT_AFTER}"
        if heard.at is None
        else f"since {heard.at:%Y-%m-%d %H:%M} UTC"
    )
    detail = f"no valid event {since}, while at least {heard.paid} payouts were paid"
    finding = Finding(kind=FindingKind.WEBHOOKS_SILENT, subject=heard.provider, detail=detail)
    if heard.is_silent and (hears or heard.is_expected):
        findings.report(tx, [finding])
    elif not heard.is_late:
        findings.cease(tx, [finding.key])


def _say(tx: Tx, kind: FindingKind, seen: Mapping[str, str]) -> None:
    found = [Finding(kind=kind, subject=subject, detail=detail) for subject, detail in seen.items()]
    findings.observe(tx, kind, found)


def _document(row: Row) -> dict[str, object]:
    kind = FindingKind(row.kind)
    return {
        "key": row.key,
        "kind": row.kind,
        "subject": row.subject,
        "severity": row.severity,
        "detail": row.detail,
        "opened_at": row.opened_at.isoformat(),
        "seen_at": row.seen_at.isoformat(),
        "seen": row.seen,
        "runbook": kind.runbook,
        "text": f"{row.severity} {row.kind}: {row.subject}: {row.detail}",
    }
