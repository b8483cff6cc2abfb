"""SMTP as it is spoken: TLS that is checked or nothing, a login, whole mails, and an end to every wait."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.answers import NotSent, Unknown
from domain.errors import BadInputError
from domain.links import Links
from domain.mails import Taken
from tests.conformance.test_mail import LETTER
from tests.fakes.postbox import USER, Postbox, certified, posting
from workers.mail.address import server_address
from workers.mail.smtp import SmtpMail, open_mail
from workers.settings import load

LOGIN = "bursar:p%3Aw%40d@"


def client(url: str, *, seconds: float = 3.0, tls: object = None) -> SmtpMail:
    return SmtpMail(
        server_address(url),
        sender="bursar@example.com",
        links=Links(base="https://app.example"),
        timeout_seconds=seconds,
        tls=tls,  # type: ignore[arg-type]  # a context, or the system's
    )


@pytest.mark.parametrize("implicit", [True, False])
def test_a_mail_goes_in_tls_under_a_login(tmp_path: Path, *, implicit: bool) -> None:
    server, trusting = certified(tmp_path)
    box = Postbox()
    with posting(box, tls=server, implicit=implicit, login=box.authenticate) as place:
        scheme, more = ("smtps", "") if implicit else ("smtp", "?tls=starttls")
        mail = client(f"{scheme}://{LOGIN}{place}{more}", tls=trusting)
        assert isinstance(mail.send(mail.freeze(LETTER)), Taken)
    assert (box.encrypted, box.logins) == ([True], [USER])


@pytest.mark.parametrize("implicit", [True, False])
def test_a_certificate_nobody_vouches_for_ends_it_before_the_password(
    tmp_path: Path, *, implicit: bool
) -> None:
    server, _ = certified(tmp_path)
    box = Postbox()
    with posting(box, tls=server, implicit=implicit, login=box.authenticate) as place:
        scheme, more = ("smtps", "") if implicit else ("smtp", "?tls=starttls")
        mail = client(f"{scheme}://{LOGIN}{place}{more}")
        answer = mail.send(mail.freeze(LETTER))
    assert isinstance(answer, NotSent)
    assert answer.brake
    assert (box.taken, box.logins) == ([], [])


def test_a_server_without_starttls_gets_nothing_in_the_clear() -> None:
    box = Postbox()
    with posting(box) as place:
        mail = client(f"smtp://{place}?tls=starttls")
        answer = mail.send(mail.freeze(LETTER))
    assert isinstance(answer, NotSent)
    assert answer.brake
    assert box.taken == []


def test_a_mail_arrives_whole_from_whom_and_to_whom_it_says() -> None:
    box = Postbox()
    with posting(box) as place:
        mail = client(f"smtp://{place}")
        facts = {**LETTER.facts, "title": "Tee für zwei"}
        mail.send(mail.freeze(LETTER._replace(facts=facts)))
    [came] = box.taken
    assert box.envelopes == [("bursar@example.com", ["mira@example.org"])]
    assert came["From"] == "bursar@example.com"
    assert came["To"] == "mira@example.org"
    assert came["Subject"] == "A place for you: Tee für zwei"
    assert came["Message-ID"] == f"<{LETTER.key.hex}@example.com>"
    assert came["Date"] == "Fri, 01 Jan 2027 00:00:00 +0000"
    assert came["Auto-Submitted"] == "auto-generated"
    text, html = (came.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "Mira <b>" in text.get_content()
    assert "Mira &lt;b&gt;" in html.get_content()


def test_a_line_that_is_a_dot_does_not_end_the_mail() -> None:
    box = Postbox()
    with posting(box) as place:
        mail = client(f"smtp://{place}")
        request = mail.freeze(LETTER).replace("Hello Mira", ".\\n..\\n.Hello Mira")
        assert isinstance(mail.send(request), Taken)
    text = box.taken[0].get_body(("plain",))
    assert text is not None
    assert text.get_content().splitlines()[:3] == [".", "..", ".Hello Mira <b>,"]


@contextmanager
def dripping(words: bytes, after: bytes) -> Iterator[str]:
    """A server that says `words` at once, reads until it saw `after`, and then says one byte of a reply at a time."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(words)
            heard = b""
            while after not in heard:
                heard += connection.recv(65_536)
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"2")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join(60)
        listener.close()


@pytest.mark.parametrize(
    ("words", "after", "kind"),
    [
        (b"", b"", NotSent),
        (b"220 here\r\n", b"ehlo", NotSent),
        (b"220 here\r\n250 here\r\n250 ok\r\n250 ok\r\n354 go on\r\n", b"\r\n.\r\n", Unknown),
    ],
)
def test_a_reply_that_drips_ends_with_the_time_there_is(
    words: bytes, after: bytes, kind: type
) -> None:
    """Each read gets its byte in time, so that a time-out of reads alone would wait for ever."""
    with dripping(words, after) as place:
        mail = client(f"smtp://{place}", seconds=0.6 if kind is NotSent else 3.0)
        request = mail.freeze(LETTER)
        answer = mail.send(request)
    assert isinstance(answer, kind)
    assert isinstance(answer, NotSent | Unknown)
    # Shut from here, not by what so many bytes came to.
    assert "SMTPServerDisconnected" in answer.reason


def test_no_thread_stays_behind() -> None:
    box = Postbox()
    before = set(threading.enumerate())
    with posting(box) as place:
        mail = client(f"smtp://{place}", seconds=60.0)
        mail.send(mail.freeze(LETTER))
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, "BURSAR_PUBLIC_URL"),
        ({"BURSAR_PUBLIC_URL": "http://app.example"}, "BURSAR_PUBLIC_URL"),
        ({"BURSAR_PUBLIC_URL": "https://a.b", "BURSAR_MAIL_FROM": "a, b"}, "BURSAR_MAIL_FROM"),
    ],
)
def test_a_server_is_not_used_where_its_mails_could_not_be_right(
    given: dict[str, str], place: str
) -> None:
    settings = load({"BURSAR_SMTP_URL": "smtp://127.0.0.1:1", **given})
    with pytest.raises(BadInputError, match=place), open_mail(settings):
        pass


def test_without_an_address_there_is_no_mail() -> None:
    with open_mail(load({})) as mail:
        assert mail is None
