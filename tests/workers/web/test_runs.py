"""`POST /v1/runs`: each answer there is, storms under one key, and a token that is nowhere to be read."""

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import structlog.testing
from limits import RateLimitItemPerMinute

from db import applications, switches
from db.engine import Database, DatabaseOptions
from jobs.catalog import ALL
from tests.fakes.serving import serving
from tests.operating import line, one, opened, query
from workers.metrics import Metrics
from workers.web import build, gate, runs
from workers.web.gate import Gate
from workers.web.limits import Limiter
from workers.web.runs import Door

TOKEN: Final = "t" * 40 + "-shop"
OTHER: Final = "t" * 40 + "-back-office"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
JOB: Final = "payouts.process"
OPENAPI: Final = json.loads(
    (Path(__file__).parents[3] / "docs/openapi.json").read_text(encoding="utf-8")
)
ASKING: Final = OPENAPI["paths"]["/v1/runs"]["post"]


@dataclass(kw_only=True)
class Web:
    """The web process of this test, called as `shop` calls it."""

    client: httpx.Client
    database: Database
    rung: list[tuple[int, str]] = field(default_factory=list)

    def ask(self, token: str | None = TOKEN, **body: object) -> httpx.Response:
        """Ask for a run; what is answered is held against the page of the API."""
        return self.send(json.dumps(body).encode(), token)

    def send(self, body: bytes, token: str | None = TOKEN) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = self.client.post("/v1/runs", content=body, headers=headers)
        fits(answer)
        return answer

    def runs(self) -> list[Any]:
        return query(self.database, "SELECT * FROM runs ORDER BY id")


def fits(answer: httpx.Response) -> None:
    """Assert that an answer is one of those that the page of the API knows."""
    told = ASKING["responses"][str(answer.status_code)]
    schemas = OPENAPI["components"]["schemas"]
    found = answer.json()
    if "$ref" not in told:
        assert found.keys() == set(schemas["Run"]["required"])
        assert found["state"] in schemas["Run"]["properties"]["state"]["enum"]
        return
    error = schemas["Declined"]["properties"]["error"]
    assert found.keys() == {"error"}
    assert found["error"].keys() == set(error["required"]) == error["properties"].keys()
    assert found["error"]["code"] in error["properties"]["code"]["enum"]


@pytest.fixture
def web_of() -> Iterator[Callable[[Database], Web]]:
    """Start web processes; all of them end with the test."""
    with ExitStack() as stack:

        def made(database: Database) -> Web:
            rung: list[tuple[int, str]] = []
            door = Door(
                gate=Gate(database=database, limiter=Limiter(None)),
                ring=lambda run, queue: rung.append((run, queue)),
            )
            app = build(database, Metrics(), lambda _: {}, [door.route()])
            url = stack.enter_context(serving(app))
            client = stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))
            return Web(client=client, database=database, rung=rung)

        yield made


@pytest.fixture
def web(database_url: str, web_of: Callable[[Database], Web]) -> Iterator[Web]:
    """The web process as a worker's role, with two applications."""
    with opened(database_url) as operator, opened(database_url, "bursar_worker") as worker:
        with operator.begin() as tx:
            applications.add(tx, "shop", TOKEN, [JOB, "upkeep.audit"], by="asha")
            applications.add(tx, "office", OTHER, [JOB], by="asha")
        yield web_of(worker)


def test_a_run_is_put_on_record_for_whoever_asked(web: Web) -> None:
    answer = web.ask(job=JOB, key="week-48")

    [run] = web.runs()
    assert answer.status_code == 202
    assert answer.json() == {"run": run.id, "state": "queued"}
    assert (run.job, run.origin, run.queue, run.scope) == (JOB, "http", "money", {})
    assert run.requested_by == "application:shop"
    assert web.rung == [(run.id, "money")]


def test_the_same_key_is_the_same_run_and_rings_once(web: Web) -> None:
    first = web.ask(job=JOB, key="k")
    again = web.ask(job=JOB, key="k")

    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    assert len(web.runs()) == len(web.rung) == 1
    assert web.ask(job="upkeep.audit", key="k").status_code == 202
    assert web.ask(OTHER, job=JOB, key="k").status_code == 202
    assert len(web.runs()) == 3


def test_a_key_takes_no_run_of_anybody_elses(web: Web) -> None:
    """An application that knows how ticks or people name their runs cannot stand in for them."""
    web.ask(job=JOB, key=f"{JOB}@2026-11-30T06:00:00Z")
    [run] = web.runs()
    assert run.request_key == f"application:shop:{JOB}@2026-11-30T06:00:00Z"


def test_a_storm_under_one_key_is_one_run(web: Web) -> None:
    """Fifty at once: the same number for all, 202 for one, and no 409, no 5xx."""
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: web.ask(job=JOB, key="storm"), range(50)))

    assert sorted(a.status_code for a in answers) == [200] * 49 + [202]
    assert {a.json()["run"] for a in answers} == {run.id for run in web.runs()}
    assert len(web.runs()) == 1


def test_a_scope_names_subjects_as_people_do(web: Web, database_url: str) -> None:
    with opened(database_url) as operator:
        payout = one(operator, [line("WEEK-7-001")])
    answer = web.ask(job=JOB, key="k", scope={"payout": ["WEEK-7-001"]})
    assert answer.status_code == 202
    assert web.runs()[0].scope == {"payout": [str(payout)]}


def test_under_maintenance_a_run_is_held(web: Web, database_url: str) -> None:
    with opened(database_url) as operator, operator.begin() as tx:
        switches.turn(tx, "maintenance", on=True, who="asha", why="x")
    assert web.ask(job=JOB, key="k").json()["state"] == "held"


@pytest.mark.parametrize("token", [None, "wrong", TOKEN[:-1], TOKEN + "x", "ä" * 40])
def test_a_token_that_is_nobodys_opens_nothing(web: Web, token: str | None) -> None:
    headers = {} if token is None else {b"Authorization": f"Bearer {token}".encode()}
    answer = web.client.post("/v1/runs", json={"job": JOB, "key": "k"}, headers=headers)
    fits(answer)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert web.runs() == []


def test_only_a_bearers_token_is_read(web: Web) -> None:
    answer = web.client.post(
        "/v1/runs", json={"job": JOB, "key": "k"}, headers={"Authorization": f"Basic {TOKEN}"}
    )
    assert answer.status_code == 401


def test_one_that_was_removed_opens_nothing_any_more(web: Web, database_url: str) -> None:
    assert web.ask(job=JOB, key="k").status_code == 202
    with opened(database_url) as operator, operator.begin() as tx:
        applications.remove(tx, "shop")
    assert web.ask(job=JOB, key="k").status_code == 401


@pytest.mark.parametrize("token", [TOKEN, None, "short", "x" * 1_025])
def test_where_no_application_is_the_door_is_closed(
    database_url: str, web_of: Callable[[Database], Web], token: str | None
) -> None:
    """Whatever is shown, and where nothing is: no token would open it."""
    with opened(database_url, "bursar_worker") as worker:
        answer = web_of(worker).ask(token, job=JOB, key="k")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "closed")


def test_a_database_that_is_away_is_503_and_nothing_more(
    web_of: Callable[[Database], Web],
) -> None:
    away = Database(DatabaseOptions(url="postgresql://u@127.0.0.1:1/x"))
    try:
        answer = web_of(away).ask(job=JOB, key="k")
    finally:
        away.dispose()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert "127.0.0.1" not in answer.text


def test_what_is_not_its_own_is_forbidden_and_what_is_not_there_is_unknown(web: Web) -> None:
    assert web.ask(job="payouts.recover", key="k").status_code == 403
    assert web.ask(job="payouts.lose", key="k").status_code == 404
    assert web.runs() == []


def test_what_cannot_be_asked_for_is_forbidden_even_where_it_was_written(
    web: Web, database_url: str
) -> None:
    with opened(database_url) as operator, operator.begin() as tx:
        applications.add(tx, "old", "o" * 40, ["notices.deliver"], by="asha")
    assert web.ask("o" * 40, job="notices.deliver", key="k").status_code == 403


BAD: Final[Sequence[tuple[bytes, str]]] = [
    (b"", "body"),
    (b"{", "body"),
    (b"\xff", "body"),
    (b"[]", "body"),
    (b"[" * 60_000, "body"),
    (b'{"job": "payouts.process"}', "key"),
    (b'{"job": "payouts.process", "key": ""}', "key"),
    (b'{"job": "payouts.process", "key": " "}', "key"),
    (b'{"job": "payouts.process", "key": 7}', "key"),
    (b'{"job": "payouts.process", "key": null}', "key"),
    (b'{"job": "payouts.process", "key": "a\\u0000b"}', "key"),
    (b'{"job": "payouts.process", "key": "\\ud800"}', "key"),
    (json.dumps({"job": JOB, "key": "x" * 201}).encode(), "key"),
    (b'{"key": "k"}', "job"),
    (b'{"job": ["payouts.process"], "key": "k"}', "job"),
    (b'{"job": "payouts.process", "key": "k", "due": "now"}', "due"),
    (b'{"job": "payouts.process", "key": "k", "scope": []}', "scope"),
    (b'{"job": "payouts.process", "key": "k", "scope": {"payout": []}}', "scope.payout"),
    (b'{"job": "payouts.process", "key": "k", "scope": {"payout": "A"}}', "scope.payout"),
    (b'{"job": "payouts.process", "key": "k", "scope": {"payout": ["\\u0000"]}}', "scope.payout"),
    (b'{"job": "payouts.process", "key": "k", "scope": {"payee": ["A"]}}', "scope"),
    (b'{"job": "payouts.process", "key": "k", "scope": {"payout": ["nobody"]}}', "payout"),
]


@pytest.mark.parametrize(("body", "named"), BAD)
def test_a_bad_body_is_told_its_field_value_and_rule(web: Web, body: bytes, named: str) -> None:
    answer = web.send(body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "bad_input")
    assert error["field"] == named
    assert error["rule"]
    assert web.runs() == []


def test_a_body_too_large_or_too_slow_is_left(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    assert web.send(b" " * 65_537).status_code == 413

    def parts() -> Iterator[bytes]:
        for _ in range(70):
            yield b" " * 1_000

    streamed = web.client.post("/v1/runs", content=parts(), headers=BEARER)
    assert streamed.status_code == 413
    monkeypatch.setattr(gate, "BODY_SECONDS_MAX", 0.1)
    assert begun(web, TOKEN).startswith(b"HTTP/1.1 408 ")


def begun(web: Web, token: str) -> bytes:
    """What is answered to a request whose body never comes whole."""
    head = f"POST /v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 9\r\n\r\n{{"
    url = web.client.base_url
    with socket.create_connection((url.host, url.port or 0), timeout=30) as sender:
        sender.sendall(head.encode())
        return sender.recv(65_536)


def test_of_whoever_nobody_knows_no_body_is_read(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer does not wait for a body: a stranger holds neither memory nor a connection."""
    monkeypatch.setattr(gate, "BODY_SECONDS_MAX", 60.0)
    for token in ("x" * 40, "x", ""):
        answer = begun(web, token).lower()
        assert answer.startswith(b"http/1.1 401 ")
        assert b"connection: close" in answer
    assert web.runs() == []


@pytest.mark.parametrize("token", [None, "short", "x" * 1_025])
def test_what_can_be_no_token_is_counted_before_the_database_is_asked(
    web_of: Callable[[Database], Web], token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PER_REFUSED_SOURCE", RateLimitItemPerMinute(1))
    away = Database(DatabaseOptions(url="postgresql://u@127.0.0.1:1/x"))
    try:
        web = web_of(away)
        assert [web.ask(token, job=JOB, key="k").status_code for _ in range(3)] == [503, 429, 429]
    finally:
        away.dispose()


def test_an_application_that_asks_too_often_waits_and_others_do_not(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PER_APPLICATION", RateLimitItemPerMinute(3))
    answers = [web.ask(job=JOB, key="k") for _ in range(5)]
    assert [a.status_code for a in answers] == [202, 200, 200, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert web.ask(OTHER, job=JOB, key="k").status_code == 202


def test_who_tries_tokens_is_told_to_wait_and_locks_nobody_out(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PER_REFUSED_SOURCE", RateLimitItemPerMinute(3))
    answers = [web.ask(f"{n}" * 40, job=JOB, key="k") for n in range(5)]
    assert [a.status_code for a in answers] == [401, 401, 401, 429, 429]
    assert web.ask(job=JOB, key="k").status_code == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_it_is_asked_by_post_alone(web: Web, method: str) -> None:
    assert web.client.request(method, "/v1/runs").status_code == 405


def test_no_token_is_ever_logged_or_answered(web: Web, database_url: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answers = [
            web.ask(job=JOB, key="k"),
            web.ask("w" * 40, job=JOB, key="k"),
            web.send(b"{"),
            web.ask(job="x.y", key="k"),
        ]
    assert [t for t in (TOKEN, "w" * 40) if t in str(logs) + "".join(a.text for a in answers)] == []
    kept = query(web.database, "SELECT CAST(r AS text) AS row FROM runs r")
    assert [row for row in kept if TOKEN in row.row] == []
    with opened(database_url) as operator:
        rows = query(operator, "SELECT CAST(a AS text) AS row FROM applications a")
    assert rows
    assert [row for row in rows if TOKEN in row.row] == []


def test_money_and_upkeep_can_be_asked_for_and_what_only_work_makes_due_cannot() -> None:
    may = {job.name for job in ALL if job.triggerable}
    assert {JOB, "payouts.recover", "payouts.follow"} < may
    families = ("payouts.", "refunds.", "cash.", "upkeep.", "bookings.flag_orphans")
    assert {name for name in may if not name.startswith(families)} == set()
