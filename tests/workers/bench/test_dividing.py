"""Dispersals, timed: every obligation is divided among its lenders, or there is no figure."""

import pytest

from db.bench import lending
from domain.errors import BrokenError
from workers.bench.dividing import divide
from workers.bench.stand import Stand


def test_dispersals_are_timed_when_every_obligation_is_divided(own_stand: Stand) -> None:
    assert divide(own_stand, 40).seconds > 0


def test_an_obligation_that_is_not_divided_is_no_figure(
    own_stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_divided = lending.is_divided
    monkeypatch.setattr(lending, "is_divided", lambda tx, items: is_divided(tx, items + 1))

    with pytest.raises(BrokenError, match="of 10 obligations"):
        divide(own_stand, 10)
