"""Obligations, lenders and positions as files state them: each fault named with its place, value and rule."""

from collections.abc import Callable
from datetime import date

import pytest

from domain.lender_lines import LenderLine, parse_lender
from domain.obligation_lines import ObligationLine, parse_obligation
from domain.obligations import ObligationState
from domain.position_lines import PositionLine, parse_position

OBLIGATION = (
    *("O-1", "M-1", "Mira", "regular_interest", "1000.00", "INR", "2026-03-20"),
    *("100000.00", "1.0000", "monthly", "due", ""),
)
POSITION = ("P-1", "M-1", "L-1", "6000", "", "")
REROUTE = ("R-1", "M-1", "L-2", "10", "L-1", "2026-03-20")


def test_a_good_obligation_is_a_line_and_a_line_is_that_record() -> None:
    line = parse_obligation(OBLIGATION, "o.csv", 2)
    assert isinstance(line, ObligationLine)
    assert (line.amount_minor, line.principal_minor, line.fee_rate_ppm) == (
        100_000,
        10_000_000,
        10_000,
    )
    assert line.record == OBLIGATION
    assert line.state is ObligationState.DUE
    assert len(line.content_hash) == 64


@pytest.mark.parametrize(
    ("text", "ppm"),
    [("0", 0), ("1", 10_000), ("0.375", 3_750), ("0.0001", 1), ("100", 1_000_000)],
)
def test_a_rate_is_read_exactly(text: str, ppm: int) -> None:
    record = [*OBLIGATION]
    record[8] = text
    line = parse_obligation(record, "o.csv", 2)
    assert isinstance(line, ObligationLine)
    assert line.fee_rate_ppm == ppm


def test_one_that_another_system_settled_says_so_with_its_day_or_without() -> None:
    for day in ("2026-03-21", ""):
        record = (*OBLIGATION[:10], "settled", day)
        line = parse_obligation(record, "o.csv", 2)
        assert isinstance(line, ObligationLine)
        assert line.state is ObligationState.SETTLED
        assert line.settled_on == (date(2026, 3, 21) if day else None)


@pytest.mark.parametrize(
    ("parse", "good", "at", "value", "rule"),
    [
        (parse_obligation, OBLIGATION, 0, "", "must be 1 to 64"),
        (parse_obligation, OBLIGATION, 3, "a gift", "must be one of"),
        (parse_obligation, OBLIGATION, 4, "0", "must be more than zero"),
        (parse_obligation, OBLIGATION, 4, "1.234", "2 digits"),
        (parse_obligation, OBLIGATION, 4, "92233720368547758.08", "larger than can be stored"),
        (parse_obligation, OBLIGATION, 5, "XXX", "must be one of"),
        (parse_obligation, OBLIGATION, 6, "20260320", "must be a date"),
        (parse_obligation, OBLIGATION, 6, "2026-02-30", "must be a date"),
        (parse_obligation, OBLIGATION, 7, "-1", "must be decimal text"),
        (parse_obligation, OBLIGATION, 8, "100.0001", "per cent a year"),
        (parse_obligation, OBLIGATION, 8, "0.00001", "per cent a year"),
        (parse_obligation, OBLIGATION, 8, "1e2", "per cent a year"),
        (parse_obligation, OBLIGATION, 8, ".5", "per cent a year"),
        (parse_obligation, OBLIGATION, 9, "daily", "must be one of"),
        (parse_obligation, OBLIGATION, 10, "paid", "must be one of due, settled"),
        (parse_obligation, OBLIGATION, 11, "2026-03-20", "must be empty unless"),
        (parse_position, POSITION, 3, "0", "whole number from 1"),
        (parse_position, POSITION, 3, "1.5", "whole number from 1"),
        (parse_position, POSITION, 3, "9223372036854775808", "whole number from 1"),
        (parse_position, POSITION, 5, "2026-03-20", "must be given where from_lender is"),
        (parse_position, REROUTE, 4, "L-2", "must be another lender"),
        (parse_position, REROUTE, 5, "", "must be given where from_lender is"),
        (parse_position, REROUTE, 5, "soon", "must be a date"),
        (parse_lender, ("L-1", "Asha"), 1, " Asha", "must be 1 to 64"),
    ],
)
def test_bad_values_are_named(
    parse: Callable[..., object], good: tuple[str, ...], at: int, value: str, rule: str
) -> None:
    record = [*good]
    record[at] = value
    errors = parse(record, "f.csv", 2)
    assert isinstance(errors, list)
    assert [error.place.startswith("f.csv row 2 field ") for error in errors] == [True]
    assert rule in errors[0].rule


def test_positions_and_reroutes_are_told_apart() -> None:
    held, moved = parse_position(POSITION, "p.csv", 2), parse_position(REROUTE, "p.csv", 3)
    assert isinstance(held, PositionLine)
    assert isinstance(moved, PositionLine)
    assert (held.from_lender, held.effective_on, held.units) == (None, None, 6000)
    assert (moved.from_lender, moved.effective_on) == ("L-1", date(2026, 3, 20))
    assert (held.record, moved.record) == (POSITION, REROUTE)
    lender = parse_lender(("L-1", "Asha"), "l.csv", 2)
    assert lender == LenderLine(external_id="L-1", payee="Asha")
    assert lender.record == ("L-1", "Asha")
