"""The statement's own arithmetic: what is missing is told, whatever a bank's order within a second."""

from contextlib import suppress
from dataclasses import replace
from itertools import accumulate
from random import Random

import pytest

from db.statements import balance, taking
from domain.statements import Side, StatementLine, in_order
from tests.jobs.payouts.statements import SECOND, Desk, foreign


def test_a_gap_in_the_balance_is_a_finding_until_the_line_between_is_there(at: Desk) -> None:
    at.pay(3)
    first, second, third = at.lines()
    second, third = (
        replace(line, occurred_at=first.occurred_at + n * SECOND)
        for n, line in ((1, second), (2, third))
    )
    seen = at.hold([first, third])
    assert seen.gaps == 1
    assert "which no line before it left" in at.told()[f"statement-gap:razorpayx:{third.line_id}"]
    at.hold([second])
    assert at.told() == {}


@pytest.mark.parametrize("page", [2, 20_000])
def test_each_currency_of_an_account_has_balances_of_its_own(
    at: Desk, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Lines of two currencies in turn leave no gap, in one file or in two; one that is left out does."""
    monkeypatch.setattr(balance, "PAGE", page)
    at.pay()
    [line] = at.lines()
    lines = [
        foreign(
            line,
            line_id=f"txn_{n}",
            occurred_at=line.occurred_at + n * SECOND,
            side=Side.CREDIT,
            currency=("USD", "EUR", "EUR")[n % 3],
            balance_minor=777 * (n // 3 + 1 if n % 3 == 0 else 2 * (n // 3) + n % 3),
        )
        for n in range(9)
    ]
    assert in_order(list(reversed(lines))) == lines
    assert at.hold_file(lines[:4]).gaps == 0
    seen = at.hold_file(lines[4:7] + lines[8:])
    assert (seen.gaps, list(at.told())) == (1, ["statement-gap:razorpayx:txn_8"])
    assert at.hold_file(lines[4:]).gaps == 0
    assert at.told() == {}


def steps(after: StatementLine, *moved: tuple[int, int]) -> list[StatementLine]:
    """Lines behind `after`: each (seconds after it, change of the balance)."""
    held = accumulate((change for _, change in moved), initial=after.balance_minor)
    return [
        foreign(
            after,
            line_id=f"txn_{n}",
            occurred_at=after.occurred_at + seconds * SECOND,
            side=Side.CREDIT if change > 0 else Side.DEBIT,
            amount_minor=abs(change),
            balance_minor=left,
        )
        for n, ((seconds, change), left) in enumerate(zip(moved, list(held)[1:], strict=True))
    ]


def test_what_is_missing_before_a_debit_given_back_at_once_is_told(at: Desk) -> None:
    """Each of the two follows from the other: so both must come by what the moment before ended with."""
    at.pay()
    [line] = at.lines()
    missed, *rest = steps(line, (1, -500), (2, -90), (2, 90), (3, -7))
    seen = at.hold([line, *rest])
    assert seen.gaps == 1
    assert set(at.told()) & {f"statement-gap:razorpayx:{one.line_id}" for one in rest[:2]}
    at.hold([missed])
    assert "statement-gap" not in str(at.told().keys())


def test_what_is_missing_behind_a_debit_given_back_at_once_is_told(at: Desk) -> None:
    """Sent, given back, sent again: the second send is missing, which left what the first had left for a moment."""
    at.pay()
    [line] = at.lines()
    sent, back, again, after = steps(line, (1, -90), (1, 90), (2, -90), (3, -7))
    seen = at.hold([line, sent, back, after])
    assert seen.gaps == 1
    assert f"statement-gap:razorpayx:{after.line_id}" in at.told()
    at.hold_file([again])
    assert "statement-gap" not in str(at.told().keys()), "healed in the run that brought it"


@pytest.mark.parametrize("between", ["EUR", "INR"])
def test_a_gap_is_healed_by_the_run_that_fills_it(at: Desk, between: str) -> None:
    """Whatever comes first after the file that does: a line of another currency, or a moment that goes round."""
    at.pay()
    [line] = at.lines()
    missed, down, up, after = steps(line, (1, -90), (2, -4), (2, 4), (3, -7))
    if between == "EUR":
        down = foreign(line, line_id="txn_eur", occurred_at=down.occurred_at, currency="EUR")
    rest = [down, after] if between == "EUR" else [down, up, after]
    assert at.hold([line, *rest]).gaps == 1
    at.hold_file([missed])
    assert "statement-gap" not in str(at.told().keys())


def drawn(dice: Random, first: StatementLine) -> list[StatementLine]:
    """A statement of some moments of one to four lines, many of which go round; the last one goes on."""
    moved: list[tuple[int, int]] = [(1, -1_000)]
    for second in range(2, dice.randint(4, 9)):
        change = dice.choice((-90, -90, 40))
        shape = dice.choice(([change], [change, -change], [change, -change, change], [change] * 2))
        moved += [(second, one) for one in shape]
    return steps(first, *moved, (10, 3))


class Undone(Exception):  # noqa: N818 - what becomes of a transaction
    """Nothing of it is kept."""


def found(at: Desk, lines: list[StatementLine]) -> int:
    """How many gaps these lines have; nothing of them is kept."""
    gaps, start = 0, lines[0].occurred_at
    with suppress(Undone), at.operator.begin() as tx:
        taking.take_over(tx, at.whose, lines, str)
        seen = balance.check(tx, at.whose, start, end=start + 100 * SECOND)
        gaps = len(seen.findings)
        while seen.rest is not None:
            seen = balance.check(tx, at.whose, seen.rest, end=start + 100 * SECOND)
            gaps += len(seen.findings)
        raise Undone
    return gaps


@pytest.mark.parametrize("page", [9, 20_000])
def test_in_any_order_nothing_is_told_unless_something_is_missing(
    at: Desk, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Whole, it has no gap, however a bank orders a second; without any one line between, it has."""
    monkeypatch.setattr(balance, "PAGE", page)
    at.pay()
    [line] = at.lines()
    dice = Random(20)
    for _ in range(40):
        whole = drawn(dice, line)
        dice.shuffle(whole)
        whole.sort(key=lambda one: one.occurred_at)
        assert found(at, whole) == 0
        gone = dice.randrange(1, len(whole) - 1)
        if page > len(whole):
            assert found(at, whole[:gone] + whole[gone + 1 :]) > 0
