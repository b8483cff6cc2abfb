"""Array literals: what Postgres reads is what was written, whatever the text holds."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from db.arrays import literal
from tests.builders import worker

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.none() | TEXT | st.sampled_from(["NULL", '"', "\\", "{}", ",", ""])))
def test_any_texts_arrive_as_they_are(database_url: str, texts: list[str | None]) -> None:
    with worker(database_url, pool_max=1) as database, database.begin() as tx:
        assert tx.scalar(sa.text("SELECT CAST(:texts AS text[])"), texts=texts) == texts


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, -(2**63), None]),
        ("boolean", [True, False, None]),
        ("uuid", [uuid4(), UUID(int=0), None]),
        ("float8", [0.1, 1e300, -2.5]),
        ("timestamptz", [datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC), None]),
        ("date", [date(2026, 2, 28)]),
        ("int", []),
    ],
)
def test_other_kinds_arrive_as_they_are(database_url: str, kind: str, values: list[object]) -> None:
    with worker(database_url) as database, database.begin() as tx:
        assert tx.scalar(sa.text(f"SELECT CAST(:v AS {kind}[])"), v=values) == values


def test_a_kind_that_has_no_spelling_is_refused() -> None:
    with pytest.raises(TypeError):
        literal([object()])
