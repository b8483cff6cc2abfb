"""`bursar obligations show ID --graph`: every account and leg of an obligation's entries, and nothing of others."""

from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID
from xml.etree import ElementTree as ET

from db.obligations.flow import Leg, legs
from db.obligations.reverse import reverse
from domain.obligations import TRIES_MAX
from tests.builders import rows
from tests.mortgages import LINE, balances, disperse, heal, lend, owe, pay
from tests.workers.cli.conftest import Line
from workers.charts.flow import Arrow, Box, flow
from workers.cli.drawing import picture

SVG: Final = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> tuple[set[str], list[str]]:
    """The boxes of a picture, and what its arrows tell whoever points at them."""
    root = ET.fromstring(svg)  # noqa: S314  what we made
    boxes = {str(t.text) for r in root.iter(f"{SVG}rect") for t in r.iter(f"{SVG}title")}
    told = [str(t.text) for r in root.iter(f"{SVG}line") for t in r.iter(f"{SVG}title")]
    return boxes, told


def posted(line: Line, obligation: UUID) -> list[Leg]:
    """The legs of an obligation."""
    return line.database.transact(lambda tx: legs(tx, obligation))


def test_what_was_divided_is_drawn_from_the_borrower_to_the_lenders(
    bursar: Line, tmp_path: Path
) -> None:
    lend(bursar.database, {"A": 6000, "B": 4000})
    first, second = owe(bursar.database, LINE, replace(LINE, external_id="O-2"))
    for id_ in (first, second):
        pay(bursar.database, id_, 100_000)
    disperse(bursar.database)
    file = tmp_path / "flow.svg"
    said = bursar("obligations", "show", "O-1", "--graph", str(file), "--json")
    assert (said.code, said.json["external_id"]) == (0, "O-1")
    assert f"drawn into {file}" in said.err
    boxes, told = drawn(file.read_text(encoding="utf-8"))
    assert boxes == {
        "control_accrual",
        f"borrower_receivable {first}",
        "trust_cash M-1",
        "control_settlement",
        "control_allocation",
        "servicing_revenue",
        "lender_payable A",
        "lender_payable B",
    }
    assert f"allocation:{first}: 550.00 INR from lender_payable to control_allocation" in told
    assert f"servicing-fee:{first}: 83.33 INR from servicing_revenue to control_allocation" in told
    assert len(told) == len(posted(bursar, first)) == 7
    assert str(second) not in "".join(told)


def test_what_is_set_apart_and_what_was_reversed_are_drawn_too(bursar: Line) -> None:
    escalated, undone = owe(bursar.database, LINE, replace(LINE, external_id="O-2"))
    pay(bursar.database, escalated, 100_000)
    disperse(bursar.database)
    heal(bursar.database, TRIES_MAX + 1)
    receipt = pay(bursar.database, undone, 40_000)
    bursar.database.transact(lambda tx: reverse(tx, [receipt.id], actor="asha, ravi", why="no"))
    _, told = drawn(picture("apart", posted(bursar, escalated)))
    key = f"suspense-escalation:{escalated}"
    assert told[-1] == f"{key}: 1000.00 INR from trust_cash to suspense"
    _, told = drawn(picture("undone", posted(bursar, undone)))
    assert [line.split(":")[0] for line in told] == [
        *("obligation", "receipt", "receipt"),
        *("reversal", "reversal"),
    ]


def test_what_the_boxes_hold_is_what_the_legs_leave_in_them(bursar: Line) -> None:
    """Of an obligation that is alone in its books it is all they hold."""
    lend(bursar.database, {"A": 6000, "B": 4000})
    [id_] = owe(bursar.database, LINE)
    pay(bursar.database, id_, 100_000)
    disperse(bursar.database)
    svg = picture("all", posted(bursar, id_))
    for minor in balances(bursar.database).values():
        assert minor in {100_000, 91_667, 8_333}
    for held in ("1000.00 INR", "550.00 INR", "366.67 INR", "83.33 INR", "0.00 INR"):
        assert f'text-anchor="middle">{held}</text>' in svg


def test_a_file_that_cannot_be_written_is_named(bursar: Line, tmp_path: Path) -> None:
    owe(bursar.database, LINE)
    said = bursar("obligations", "show", "O-1", "--graph", str(tmp_path / "no" / "flow.svg"))
    assert said.code == 2
    assert "cannot be written: No such file or directory" in said.err


def test_names_are_drawn_as_they_are_and_long_ones_cut() -> None:
    boxes = [Box(name="<b>&", owner="x" * 40, held="1"), Box(name="two", owner="", held="2")]
    arrow = Arrow(source=1, target=0, amount="1", entry="e", part_of="k", detail='"quoted"')
    svg = flow("a < b", boxes, [arrow, replace(arrow, amount="2")])
    assert drawn(svg) == ({f"<b>& {'x' * 40}", "two"}, ['"quoted"'] * 2)
    assert "x" * 20 + "…" in svg
    assert svg.count(">e<") == 1


def test_an_entry_of_other_obligations_is_found_by_neither_key_nor_account(bursar: Line) -> None:
    """Its legs are found by index alone: the ranges of its keys, and its own accounts."""
    one, other = owe(bursar.database, LINE, replace(LINE, external_id="O-2"))
    pay(bursar.database, one, 1)
    assert {row.key.split(":")[1] for row in posted(bursar, other)} == {str(other)}
    assert len(rows(bursar.database, "SELECT FROM entries")) == 4
