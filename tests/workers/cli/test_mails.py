"""`mails …` and `mail …`: read what people are told, have it sent again, read what the local sink took."""

from pathlib import Path

import pytest
from aiosmtpd.handlers import Mailbox

from domain.mails import MailKind
from tests.conformance.test_mail import LETTER, client
from tests.fakes.postbox import posting
from tests.mailing import mailed
from tests.operating import change, query
from tests.workers.cli.conftest import Line
from workers.mail import box
from workers.mail.address import server_address


@pytest.fixture
def told(bursar: Line) -> Line:
    """A reminder that waits for its server."""
    mailed(bursar.database, MailKind.WAITLIST_REMINDER)
    return bursar


def test_mails_are_listed_and_shown_with_what_they_are_made_of(told: Line) -> None:
    [row] = told("mails", "list", "--json").json
    assert (row["kind"], row["recipient"]) == ("waitlist.reminder", "mira@example.org")
    shown = told("mails", "show", row["id"], "--json").json
    assert (shown["state"], shown["waits_for"]) == ("QUEUED", "mails.send")
    assert shown["facts"]["title"] == "Tea & talk"
    assert "mails.send" in told("why", "mail", row["id"], "--json").json["reason"]


def test_one_in_doubt_is_sent_again_by_a_person_with_a_reason_once(told: Line) -> None:
    change(told.database, "DELETE FROM work")
    change(told.database, "UPDATE mails SET state = 'UNSURE'")
    [row] = told("mails", "list", "--state", "unsure", "--json").json
    assert told("mails", "retry", row["id"]).code == 2
    said = told("mails", "retry", row["id"], "--why", "nothing came", "--json")
    assert said.json[0]["outcome"] == "moved"
    [move] = query(told.database, "SELECT * FROM moves WHERE kind = 'mail'")
    assert (move.source, move.target, move.reason) == ("UNSURE", "QUEUED", "nothing came")
    again = told("mails", "retry", row["id"], "--why", "nothing came", "--json")
    assert (again.code, again.json[0]["outcome"]) == (1, "illegal")


def test_nothing_more_is_written_once_mail_is_off(told: Line) -> None:
    assert told("mails", "off", "--why", "too loud").out == "mails is off\n"
    assert told("mails", "on", "--why", "again").out == "mails is on\n"
    assert told("mails", "on", "--why", "again").out == "mails is on already\n"


def test_what_the_sink_took_is_read_in_the_home(bursar: Line, tmp_path: Path) -> None:
    with posting(Mailbox(tmp_path / box.FOLDER)) as place:
        mail = client(server_address(f"smtp://{place}"))
        mail.send(mail.freeze(LETTER))
    [row] = bursar("mail", "list", "--home", str(tmp_path), "--json").json
    assert row["subject"] == "A place for you: Tea & talk"
    shown = bursar("mail", "show", row["id"], "--home", str(tmp_path))
    assert "Hello Mira <b>," in shown.out
    html = bursar("mail", "show", row["id"], "--home", str(tmp_path), "--html")
    assert "Hello Mira &lt;b&gt;," in html.out
    assert bursar("mail", "show", "x", "--home", str(tmp_path)).code == 2
