"""Races of two or three sides on real connections, in every order that can tell them apart, or a sample."""

import pytest

pytest.register_assert_rewrite("tests.races.stage", "tests.races.payouts", "tests.races.core")
