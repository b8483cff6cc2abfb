"""The message's own rules."""

import pytest
from hypothesis import given, strategies as st

from workers.broker.wakeups import RUN_ID_MAX, decode, encode


@given(st.integers(min_value=1, max_value=RUN_ID_MAX))
def test_every_run_id_is_read_back(run_id: int) -> None:
    assert decode(encode(run_id)) == run_id


@given(st.binary() | st.none() | st.text() | st.integers())
def test_reading_never_raises_and_never_guesses(body: object) -> None:
    found = decode(body)
    assert found is None or (isinstance(body, bytes) and encode(found) == body.replace(b" ", b""))


@pytest.mark.parametrize(
    "body",
    [
        b'{"v":1,"run":5}',
        b'{"v":1,"run":"05"}',
        b'{"v":1,"run":"-5"}',
        b'{"v":1,"run":"5"}\n',
        b'{"v":1,"run":"5","run":"6"}',
        b'{"v":1,"run":"9223372036854775808"}',
    ],
)
def test_what_is_nearly_a_wake_up_is_none(body: bytes) -> None:
    """F49."""
    assert decode(body) is None
