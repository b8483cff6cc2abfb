"""What an SMTP URL means, and which are refused without a word of their password."""

import pytest

from domain.errors import BadInputError
from workers.mail.address import ServerAddress, server_address


def address(
    host: str, port: int, tls: str, user: str | None = None, password: str | None = None
) -> ServerAddress:
    return ServerAddress(host=host, port=port, tls=tls, user=user, password=password)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        (
            "smtps://a%40b:p%3Aw@mail.example",
            address("mail.example", 465, "implicit", "a@b", "p:w"),
        ),
        ("smtp://a:b@mail.example", address("mail.example", 587, "starttls", "a", "b")),
        ("smtp://mail.example:25?tls=none", address("mail.example", 25, "none")),
        ("smtp://127.0.0.1:1025", address("127.0.0.1", 1025, "none")),
        ("smtp://localhost:1025?tls=starttls", address("localhost", 1025, "starttls")),
        ("smtp://a:b@[::1]:1025", address("::1", 1025, "none", "a", "b")),
    ],
)
def test_a_url_says_where_how_and_as_whom(url: str, meant: ServerAddress) -> None:
    assert server_address(url) == meant


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("smtp://hidden:s3cret@mail.example?tls=none", "must not send a password in the clear"),
        ("smtp://s3cret@mail.example", "must name user and password, or neither"),
        ("smtp://:25", "must read smtp://host:port"),
        ("smtp://mail.example:many", "must have a port that is a number"),
        ("smtp://mail.example?tls=maybe", "may end in"),
        ("smtp://mail.example?auth=s3cret", "may end in"),
    ],
)
def test_what_cannot_be_is_refused_without_showing_it(url: str, rule: str) -> None:
    with pytest.raises(BadInputError, match=rule) as caught:
        server_address(url)
    assert "s3cret" not in str(caught.value)


def test_an_address_does_not_print_its_password() -> None:
    assert "s3cret" not in repr(server_address("smtps://a:s3cret@mail.example"))
