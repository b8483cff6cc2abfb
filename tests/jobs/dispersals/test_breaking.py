"""Whatever write of a dispersal breaks, nothing of it stays; and it is divided once that is mended."""

import pytest

from db.errors import RuleBrokenError
from domain.obligations import CREATE
from tests.builders import assert_sound, hurry, rows
from tests.db.test_ledger import broken
from tests.kit.world import Scene
from tests.mortgages import LINE, balances, disperse, lend, owe, pay, standing

WRITES = (
    *("obligations", "moves", "calculation_runs", "dispersals"),
    *("entries", "postings", "balances", "ledger_totals"),
)


@pytest.mark.parametrize("table", WRITES)
def test_a_dispersal_and_its_books_are_committed_together_or_not_at_all(
    world: Scene, superuser_url: str, table: str
) -> None:
    """Invariant 50: business row, entry, balance, totals and history vanish together, whichever of them breaks."""
    lend(world.operator, {"A": 6000, "B": 4000})
    [id_] = owe(world.operator, LINE)
    pay(world.operator, id_, 100_000)
    before = balances(world.owner)
    with (
        broken(superuser_url, table, "AFTER"),
        pytest.raises(RuleBrokenError, match="broken on purpose"),
    ):
        disperse(world.database)
    assert balances(world.owner) == before
    assert standing(world.owner, id_).state == "SETTLED"
    for empty in ("calculation_runs", "dispersals"):
        assert rows(world.owner, f"SELECT FROM {empty}") == []
    hurry(world.owner)
    assert world.run(CREATE).tally["succeeded"] == 1
    assert_sound(world.owner)
