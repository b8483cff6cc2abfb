"""Logs carry facts with identifiers, of every library by one way, never a secret or a body."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import structlog

from workers import logs
from workers.redaction import Redaction
from workers.settings import load

RUN = UUID("0191c5a8-0000-7000-8000-000000000001")
ENVIRON = {
    "BURSAR_DATABASE_URL": "postgresql://app:hunter22@db/shop",
    "BURSAR_BROKER_URL": "redis://bell",
    "BURSAR_OPERATOR_TOKEN": "operator-token",
}
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Somewhere to log to; logging is left as it was found."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    kept = {
        name: (logger.handlers[:], logger.level, logger.propagate)
        for name in {*logs.QUIET, *logs.OWN_HANDLERS}
        for logger in [logging.getLogger(name)]
    }
    configuration = structlog.get_config()
    yield io.StringIO()
    root.handlers, logging.raiseExceptions = handlers, raising
    root.setLevel(level)
    for name, (own, own_level, propagate) in kept.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = own, propagate
        logger.setLevel(own_level)
    logging.captureWarnings(capture=False)
    structlog.configure(**configuration)


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    """What was logged since, parsed."""
    logs.configure(load(ENVIRON), stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_identifiers(lines: Lines) -> None:
    with logs.bound(run_id=RUN, job="payouts.process", token=7, correlation_id="c-1"):
        structlog.get_logger("here").info("run.ended", state="succeeded", items=3)

    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "run.ended",
        "level": "info",
        "logger": "here",
        "run_id": str(RUN),
        "job": "payouts.process",
        "token": 7,
        "correlation_id": "c-1",
        "state": "succeeded",
        "items": 3,
    }


def test_what_is_bound_ends_with_its_block(lines: Lines) -> None:
    with logs.bound(job="payouts.process"):
        pass
    structlog.get_logger().info("later")

    assert "job" not in lines()[0]


def test_what_is_bound_is_carried_into_threads(lines: Lines) -> None:
    with logs.bound(run_id=RUN):
        tell = logs.carried(lambda: structlog.get_logger().info("in.thread"))
    threads = [threading.Thread(target=tell) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [line["run_id"] for line in lines()] == [str(RUN), str(RUN)]


def test_text_under_an_unlisted_key_is_not_written(lines: Lines) -> None:
    structlog.get_logger().info("bank.answered", body='{"amount": 1}', status=200, who=object())

    [line] = lines()
    assert (line["body"], line["status"], line["who"]) == ("***", 200, "<object>")


def test_a_secret_is_masked_wherever_it_stands(lines: Lines) -> None:
    log = structlog.get_logger()
    log.info("operator-token", reason="saw operator-token", names=["operator-token"])
    try:
        raise ValueError("postgresql://app:hunter22@db/shop")
    except ValueError:
        log.exception("broke")

    written = json.dumps(lines())
    assert "ValueError" in written
    assert "operator-token" not in written
    assert "hunter22" not in written


@pytest.mark.parametrize(
    "text",
    [
        "amqp://user:s3cr3t-x@host/",
        "Authorization: Basic czNjcjN0LXg6czNjcjN0LXg=",
        "connect with password=s3cr3t-x now",
    ],
)
def test_what_looks_like_a_credential_is_masked_though_nobody_named_it(text: str) -> None:
    shown = Redaction().text(text)

    assert "***" in shown
    assert "s3cr3t-x" not in shown
    assert "czNj" not in shown


def test_long_texts_are_cut() -> None:
    assert len(Redaction().text("x" * 10_000)) <= 2_001


def test_times_and_ids_are_written_as_text(lines: Lines) -> None:
    structlog.get_logger().info("tick", at=datetime(2026, 1, 5, 6, tzinfo=UTC), of=RUN)

    assert (lines()[0]["at"], lines()[0]["of"]) == ("2026-01-05 06:00:00+00:00", str(RUN))


@pytest.mark.parametrize("name", ["dramatiq.worker", "uvicorn.error", "apscheduler.scheduler"])
def test_libraries_log_the_same_way(lines: Lines, name: str) -> None:
    logging.getLogger(name).warning("lost %s", "postgresql://app:hunter22@db/shop")

    [line] = lines()
    assert (line["logger"], line["level"]) == (name, "warning")
    assert line["event"].startswith("lost ")
    assert "hunter22" not in line["event"]


def test_the_steps_of_libraries_are_not_wanted(lines: Lines) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://bank/?token=abc")

    assert lines() == []


def test_warnings_are_logged(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("careful", UserWarning, stacklevel=1)

    assert "careful" in lines()[0]["event"]


def test_a_second_configuration_replaces_the_first(stream: io.StringIO) -> None:
    first = io.StringIO()
    logs.configure(load({}), first)
    logs.configure(load({}), stream)
    structlog.get_logger().info("once")

    assert first.getvalue() == ""
    assert stream.getvalue().count("once") == 1


def test_the_console_form_is_for_people(stream: io.StringIO) -> None:
    logs.configure(load({"BURSAR_LOG_FORMAT": "console"}), stream)
    structlog.get_logger().info("run.ended", items=3)

    assert "run.ended" in stream.getvalue()
    assert "items=3" in stream.getvalue()


def test_a_level_hides_what_is_below_it(stream: io.StringIO) -> None:
    logs.configure(load({"BURSAR_LOG_LEVEL": "warning"}), stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_a_log_that_cannot_be_written_harms_nobody(stream: io.StringIO) -> None:
    logs.configure(load({}), stream)
    stream.close()

    structlog.get_logger().info("unwritable")

    assert stream.closed
