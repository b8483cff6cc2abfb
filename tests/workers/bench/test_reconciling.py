"""The reconciliation, timed: over obligations that are all right it finds nothing, or there is no figure."""

import pytest

from db.bench import journals
from domain.errors import BrokenError
from workers.bench.reconciling import reconcile
from workers.bench.stand import Stand


def test_a_reconciliation_is_timed_that_finds_nothing(own_stand: Stand) -> None:
    done = reconcile(own_stand, 30, 2)
    assert [one.seconds > 0 and one.resident_mb > 1 for one in done] == [True, True]


def test_what_is_found_is_no_figure(own_stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "TABLES", tuple(t for t in journals.TABLES if t != "dispersals"))
    with pytest.raises(BrokenError, match="findings over obligations that are all right"):
        reconcile(own_stand, 10, 1)
