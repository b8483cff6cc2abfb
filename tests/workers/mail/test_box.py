"""The mails that the sink of `bursar up` took are read by people."""

from pathlib import Path

from aiosmtpd.handlers import Mailbox

from tests.conformance.test_mail import LETTER, client
from tests.fakes.postbox import posting
from workers.mail import box
from workers.mail.address import server_address


def test_what_the_sink_took_is_listed_newest_first_and_shown(tmp_path: Path) -> None:
    with posting(Mailbox(tmp_path / box.FOLDER)) as place:
        mail = client(server_address(f"smtp://{place}"))
        for name in ("Mira", "Noor", "Asha", "Tara", "Ravi", "Ilse"):
            facts = {**LETTER.facts, "name": name}
            mail.send(mail.freeze(LETTER._replace(facts=facts)))
    newest, *older = box.kept(tmp_path, 10)
    assert (newest.to, newest.subject) == ("mira@example.org", "A place for you: Tea & talk")
    assert newest.at == "2027-01-01T00:00:00+00:00"
    assert box.kept(tmp_path, 1) == [newest]
    for name, one in zip(
        ("Ilse", "Ravi", "Tara", "Asha", "Noor", "Mira"), [newest, *older], strict=True
    ):
        found = box.one(tmp_path, one.id)
        assert found is not None
        head, text, html = found
        assert head == one
        assert f"Hello {name}," in text
        assert f"<p>Hello {name},</p>" in html


def test_a_subject_too_long_for_its_line_is_read_whole(tmp_path: Path) -> None:
    with posting(Mailbox(tmp_path / box.FOLDER)) as place:
        mail = client(server_address(f"smtp://{place}"))
        facts = {
            **LETTER.facts,
            "title": "An evening of ragas for the monsoon, live from the old town hall",
        }
        mail.send(mail.freeze(LETTER._replace(facts=facts)))
    [found] = box.kept(tmp_path, 10)
    assert found.subject == f"A place for you: {facts['title']}"


def test_a_home_that_took_nothing_has_nothing(tmp_path: Path) -> None:
    assert box.kept(tmp_path, 10) == []
    assert box.one(tmp_path, "x") is None
