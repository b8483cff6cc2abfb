"""`bursar inbox`, `why event`: what providers told us, and another try for what failed."""

from uuid import UUID, uuid4

from tests.hearing import raw, receive
from tests.operating import change, query
from tests.workers.cli.conftest import Line


def failed(bursar: Line) -> UUID:
    """An event that was given up."""
    [id_] = receive(bursar.database, [raw(b"{}", "payout.processed", entity="pout_1")])
    change(
        bursar.database,
        """WITH failed AS (UPDATE inbox SET state = 'FAILED', outcome = 'unreadable: it carries no payout'),
             told AS (INSERT INTO moves (kind, subject, source, target, actor)
                      VALUES ('event', :id, 'RECEIVED', 'FAILED', 'run:1'))
           DELETE FROM work""",
        id=id_,
    )
    return id_


def test_what_failed_is_listed_explained_and_replayed(bursar: Line) -> None:
    """Invariant 36: visible and replayable by an operator."""
    id_ = failed(bursar)
    [row] = bursar("inbox", "list", "--state", "failed", "--json").json
    assert (row["id"], row["type"], row["entity"]) == (str(id_), "payout.processed", "pout_1")
    assert "unreadable" in bursar("inbox", "show", str(id_)).out
    assert bursar("why", "event", str(id_)).code == 0
    said = bursar("inbox", "replay", str(id_), "--why", "release 2 reads it", "--json")
    assert (said.code, said.json[0]["outcome"]) == (0, "moved")
    [work] = query(bursar.database, "SELECT job, subject FROM work")
    assert (work.job, work.subject) == ("webhooks.apply", id_)
    shown = bursar("inbox", "show", str(id_), "--json").json
    assert shown["history"][-1]["reason"] == "release 2 reads it"


def test_only_what_failed_is_replayed_and_only_with_a_reason(bursar: Line) -> None:
    [waits] = receive(bursar.database, [raw(b"{}", "payout.processed")])
    said = bursar("inbox", "replay", str(waits), str(uuid4()), "--why", "x", "--json")
    assert (said.code, {row["outcome"] for row in said.json}) == (1, {"illegal", "missing"})
    assert bursar("inbox", "replay", str(waits)).code == 2
    assert bursar("inbox", "replay", "evt_1", "--why", "x").code == 2
