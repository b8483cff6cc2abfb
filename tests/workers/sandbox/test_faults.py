"""Faults are chosen by key and send, so that a run can be repeated, at the rates asked for."""

from collections import Counter

import pytest

from domain.errors import BadInputError
from workers.sandbox.faults import FIRST_SEND_ONLY, Fault, Faults
from workers.sandbox.script import Call, Order, Script


def test_rates_are_read_from_a_line_and_written_back() -> None:
    faults = Faults.parse("drop=0.03, error=0.01,refuse=0.02")
    assert faults.rates == {Fault.DROP: 0.03, Fault.ERROR: 0.01, Fault.REFUSE: 0.02}
    assert str(faults) == "drop=0.03,error=0.01,refuse=0.02"
    assert Faults.parse("").rates == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dorp=0.1", "dorp"),
        ("drop", "drop"),
        ("drop=x", "x"),
        ("drop=-0.1", "-0.1"),
        ("drop=1.1", "1.1"),
        ("drop=nan", "nan"),
        ("drop=0.6,error=0.6", "at most 1"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(text: str, named: str) -> None:
    with pytest.raises(BadInputError) as caught:
        Faults.parse(text)
    assert named in str(caught.value)


def test_the_same_seed_key_and_send_always_draw_the_same() -> None:
    faults = Faults.parse("drop=0.5")
    drawn = [faults.draw(7, f"key-{number}", 1) for number in range(200)]
    assert drawn == [faults.draw(7, f"key-{number}", 1) for number in range(200)]
    assert drawn != [faults.draw(8, f"key-{number}", 1) for number in range(200)]
    assert drawn != [faults.draw(7, f"key-{number}", 2) for number in range(200)]


def test_faults_come_as_often_as_asked() -> None:
    faults = Faults.parse("drop=0.03,error=0.01,refuse=0.02")
    drawn = Counter(faults.draw(1, f"key-{number}", 1) for number in range(20_000))
    assert 500 < drawn[Fault.DROP] < 700
    assert 140 < drawn[Fault.ERROR] < 260
    assert 320 < drawn[Fault.REFUSE] < 480


def test_chance_refuses_a_payment_on_its_first_send_or_never() -> None:
    for fault in FIRST_SEND_ONLY:
        faults = Faults(rates={fault: 1.0})
        assert faults.draw(1, "key", 1) is fault
        assert faults.draw(1, "key", 2) is None


def test_orders_are_met_in_turn_by_the_requests_they_are_for() -> None:
    script = Script()
    script.add(Order(fault=Fault.DROP, reference="a"))
    script.add(Order(fault=Fault.ERROR, times=2))
    script.add(Order(fault=Fault.HANG, call=Call.READ))
    met = [script.take(Call.SUBMIT, reference) for reference in ("b", "a", None, "b")]
    assert [order.fault if order else None for order in met] == [
        Fault.ERROR,
        Fault.DROP,
        Fault.ERROR,
        None,
    ]
    assert script.waiting() == 1
