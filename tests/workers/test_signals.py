"""A stop signal is heard whatever the main thread is doing at that moment."""

import signal
import threading
from collections.abc import Iterator

import pytest

from workers.signals import stop_on_signals

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The test process gets its own handlers back."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_sets_the_event_and_a_second_one_is_harmless(number: signal.Signals) -> None:
    """F96."""
    stop = threading.Event()
    stop_on_signals(stop)
    signal.raise_signal(number)
    assert stop.wait(60)
    signal.raise_signal(number)
    assert stop.is_set()


def test_a_signal_inside_the_event_itself_blocks_nobody() -> None:
    """F96: it comes just as the main thread holds the event's lock, on its way to wait."""
    stop = threading.Event()
    stop_on_signals(stop)
    with stop._cond:  # type: ignore[attr-defined]  # the lock that `wait` takes first
        signal.raise_signal(signal.SIGTERM)
    assert stop.wait(60)
