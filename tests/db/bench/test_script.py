"""The product's statements as a pgbench script: what is carried, what is constant, what is refused."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from db.bench import script
from db.bench.recording import Recording, Statement
from db.payouts.details import Details
from domain.errors import BrokenError

CLAIM = "SELECT nextval('tokens') -- a comment: with a colon\nWHERE job = %(job)s"
DETAILS = "SELECT * FROM payouts WHERE id = ANY(CAST(%(ids)s AS uuid[]))"


def payout(number: int) -> Details:
    """A payout of which only what a script carries is known."""
    known: dict[str, Any] = dict.fromkeys(Details._fields)
    known |= {"id": UUID(int=number), "effect_key": UUID(int=number + 100), "amount": number}
    known |= {"payable": 7, "in_transit": 8}
    return Details(**known)


def recording(run: int, *settles: Statement) -> Recording:
    """A set of two payouts, other ones for each run."""
    rows = [payout(10 * run), payout(10 * run + 1)]
    ids = "{" + ",".join(row.id.hex for row in rows) + "}"
    claims = [
        Statement(text=CLAIM, parameters={"job": "payouts.process"}),
        Statement(text=DETAILS, parameters={"ids": ids}),
    ]
    return Recording(
        run=run,
        transactions=[claims, list(settles)],
        payouts={row.id: row for row in rows},
        tokens=[run + 50] * 2,
    )


def settle(text: str, **parameters: object) -> Statement:
    return Statement(text=text, parameters=parameters)


def test_what_differs_between_sets_is_carried_from_the_claims_rows() -> None:
    text = "UPDATE x SET amount = %(sums)s WHERE run = %(run)s AND token = ANY(%(mine)s) AND n %% 2 = 0"
    made = script.write(
        recording(1, settle(text, sums="{21}", run=1, mine="{51,51}")),
        recording(2, settle(text, sums="{41}", run=2, mine="{52,52}")),
    )

    assert "amount = :amount WHERE run = :run AND token = ANY(:tokens) AND n % 2 = 0;" in made.text
    assert "ANY(CAST(:ids AS uuid[]))" in made.text
    assert made.text.count("BEGIN;") == made.text.count("COMMIT;") == 2
    assert "a comment" not in made.text


def test_what_stays_the_same_is_a_constant_of_the_command_line() -> None:
    made = script.write(
        recording(
            1, settle("SELECT %(kind)s, %(on)s, %(none)s", kind="payout", on=True, none=None)
        ),
        recording(
            2, settle("SELECT %(kind)s, %(on)s, %(none)s", kind="payout", on=True, none=None)
        ),
    )

    assert "SELECT :s1_0_kind, :s1_0_on, NULL;" in made.text
    assert made.constants["s1_0_kind"] == "payout"
    assert made.constants["s1_0_on"] == "t"
    assert made.constants["s0_0_job"] == "payouts.process"


def test_frozen_requests_are_those_of_one_set_given_in_parts() -> None:
    documents = [f'[{{"reference_id":"{n}{"x" * script.ARGUMENT_MAX}"}}]' for n in (1, 2)]
    one, two = (recording(n, settle("SELECT %(r)s", r=d)) for n, d in enumerate(documents, 1))
    made = script.write(one, two)

    assert "(CAST(:s1_0_r_0 AS text) || CAST(:s1_0_r_1 AS text))" in made.text
    assert made.constants["s1_0_r_0"] + made.constants["s1_0_r_1"] == documents[0]


def test_a_parameter_that_nothing_explains_is_refused_by_its_name() -> None:
    with pytest.raises(BrokenError, match="its parameter utrs"):
        script.write(
            recording(1, settle("SELECT %(utrs)s", utrs="{A}")),
            recording(2, settle("SELECT %(utrs)s", utrs="{B}")),
        )


def test_sets_of_different_statements_are_refused() -> None:
    with pytest.raises(BrokenError, match="same statements"):
        script.write(recording(1, settle("SELECT 1")), recording(2, settle("SELECT 2")))


def test_a_claim_that_begins_otherwise_is_refused() -> None:
    first, second = recording(1), recording(2)
    for made in (first, second):
        made.transactions[0][0] = replace(made.transactions[0][0], text="SELECT 1")

    with pytest.raises(BrokenError, match="begin with the lease"):
        script.write(first, second)
