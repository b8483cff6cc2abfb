"""What readers of mails see: each kind from its own facts, with links that lead where its reader can go."""

import re

import pytest

from domain.links import Links
from domain.mails import POLICIES, Letter, MailKind
from tests.mailing import ENTRY, FACTS, PAYOUT, PLAN
from workers.mail.rendering import TEMPLATES, Rendered, Renderer

BASE = "https://app.example"
PLAN_LINK = f"{BASE}/plans/{PLAN}"
OFFER_LINK = f"{PLAN_LINK}/waitlist/{ENTRY}"
PAYOUT_LINK = f"{BASE}/payouts/{PAYOUT}"
LINKS = {
    MailKind.WAITLIST_OFFERED: OFFER_LINK,
    MailKind.WAITLIST_REMINDER: OFFER_LINK,
    MailKind.WAITLIST_EXPIRED: PLAN_LINK,
    MailKind.REFUND_GIVEN: PLAN_LINK,
    MailKind.PAYOUT_COMPLETED: PAYOUT_LINK,
    MailKind.PAYOUT_FAILED: PAYOUT_LINK,
    MailKind.PAYOUT_REVERSED: PAYOUT_LINK,
}


def rendered(kind: MailKind, **other: object) -> Rendered:
    facts = FACTS[kind] | other
    letter = Letter(PLAN, kind, "mira@example.org", facts, "2027-01-01T00:00:00+00:00")
    return Renderer(Links(base=BASE)).render(letter)


@pytest.mark.parametrize("kind", list(MailKind))
def test_each_kind_is_made_of_exactly_its_facts(kind: MailKind) -> None:
    seen = rendered(kind)
    assert FACTS[kind].keys() == POLICIES[kind].fields
    assert "Tea & talk" in seen.subject
    assert "Tea & talk" in seen.text
    assert "Mira <b>" in seen.text


@pytest.mark.parametrize("kind", list(MailKind))
def test_what_people_typed_is_escaped_in_html(kind: MailKind) -> None:
    html = rendered(kind).html
    assert "Mira &lt;b&gt;" in html
    assert "Tea &amp; talk" in html
    assert "<b>," not in html


@pytest.mark.parametrize("kind", list(MailKind))
def test_its_one_link_carries_the_plan_or_the_payout(kind: MailKind) -> None:
    """Not the appointment: the application knows no page of one."""
    seen = rendered(kind)
    assert re.findall(r"https?://\S+", seen.text) == [LINKS[kind]]
    assert re.findall(r'href="([^"]*)"', seen.html) == [LINKS[kind]]


@pytest.mark.parametrize("kind", list(MailKind))
def test_a_title_of_several_lines_adds_none_to_the_subject(kind: MailKind) -> None:
    seen = rendered(kind, title="Tea\r\nBcc: all@example.org")
    assert "Tea Bcc: all@example.org" in seen.subject
    assert "\n" not in seen.subject


def test_money_and_times_are_written_for_people() -> None:
    assert "1250.50 INR" in rendered(MailKind.REFUND_GIVEN).text
    assert "3 January 2027, 10:00 UTC" in rendered(MailKind.WAITLIST_OFFERED).text


def test_a_payment_says_what_was_kept_back_of_it_and_the_bank_s_number() -> None:
    seen = rendered(MailKind.PAYOUT_COMPLETED)
    for text in (seen.text, seen.html):
        assert "1250.50 INR were paid to you" in text
        assert "2000.00 INR, less 2.00 INR of tax, less 747.50 INR that you owed" in text
        assert "000123456789" in text
    plain = rendered(MailKind.PAYOUT_COMPLETED, tax_minor=0, recovered_minor=0, utr="")
    assert "less" not in plain.text
    assert "number" not in plain.text
    assert "\n\n\n" not in plain.text


def test_every_template_belongs_to_a_kind() -> None:
    names = {
        f"{kind.value.replace('.', '_')}{end}" for kind in MailKind for end in (".txt", ".html")
    }
    assert {path.name for path in TEMPLATES.iterdir()} == names | {"mail.html"}
