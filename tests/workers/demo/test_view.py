"""What the demo shows fits a small terminal, and is a line anywhere else."""

import io

from rich.console import Console

from workers.demo.look import SHOWN, Look
from workers.demo.view import View

FULL = Look(
    families={machine.table: dict.fromkeys(sorted(machine.states)[:5], 1999) for machine in SHOWN},
    waiting={f"family.job_number_{n}": (1_999, 1_999, 500, 0) for n in range(9)},
    transfers=1_999,
    sends=2_100,
    captures=13,
    refunds=1,
)


def test_all_families_fit_80_columns_and_24_lines() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, color_system=None)
    console.print(View(2_000, io.StringIO()).table(FULL))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    for machine in SHOWN:
        assert any(machine.table in line for line in lines)


def test_without_a_terminal_it_is_a_line_of_every_family() -> None:
    out = io.StringIO()
    with View(2_000, out) as view:
        view.show(FULL, last=True)
    told = out.getvalue()
    assert all(f"{machine.table} " in told for machine in SHOWN)
    assert "1999 transfers" in told
