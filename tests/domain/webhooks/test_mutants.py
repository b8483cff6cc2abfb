"""Ten thousand changed webhooks of each provider that signs: none is believed."""

import random
from collections.abc import Callable, Iterator

import pytest

from domain.inbox import VerifiedEvent
from domain.webhooks import razorpay, stripe
from domain.webhooks.providers import Provider
from domain.webhooks.refusals import WebhookRefusedError
from tests.domain.webhooks.signing import (
    BEFORE,
    NOW,
    SECRET,
    payout_event,
    raw,
    razorpay_headers,
    stripe_event,
    stripe_headers,
)

MUTANTS = 10_000
SECRETS = (SECRET, BEFORE)


def flipped(text: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(text))
    return text[:place] + bytes([text[place] ^ 1 << chance.randrange(8)]) + text[place + 1 :]


def inserted(text: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.randbytes(chance.randint(1, 3)) + text[place:]


def deleted(text: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(text))
    return text[:place] + text[place + chance.randint(1, 3) :]


def reordered(text: bytes, chance: random.Random) -> bytes:
    first, second = sorted(chance.sample(range(len(text)), 2))
    end = chance.randint(second + 1, len(text))
    return text[:first] + text[second:end] + text[first:second] + text[end:]


def truncated(text: bytes, chance: random.Random) -> bytes:
    return text[: chance.randrange(len(text))]


WAYS = (flipped, inserted, deleted, reordered, truncated)


def mutants(whole: bytes, seed: int) -> Iterator[bytes]:
    """Yield changed copies, none of them what it was made from."""
    chance = random.Random(seed)
    made = 0
    while made < MUTANTS // 2:
        mutant = chance.choice(WAYS)(whole, chance)
        if mutant != whole:
            made += 1
            yield mutant


def believed(check: Callable[[bytes, bytes], VerifiedEvent], body: bytes, signed: bytes) -> int:
    """Return how many are believed of 5,000 other bodies, and 5,000 other signatures of the body."""
    pairs = [(mutant, signed) for mutant in mutants(body, seed=1)]
    pairs += [(body, mutant) for mutant in mutants(signed, seed=2)]
    assert len(pairs) == MUTANTS
    found = 0
    for one, its in pairs:
        try:
            check(one, its)
        except WebhookRefusedError:
            continue
        found += 1
    return found


def test_of_ten_thousand_mutants_of_razorpays_none_is_believed() -> None:
    """Invariant 32, F72: flipped, inserted, deleted, reordered and cut, body and signature."""
    body = raw(payout_event())

    def check(mutant: bytes, signature: bytes) -> VerifiedEvent:
        headers = {"x-razorpay-signature": signature.decode("latin-1")}
        return razorpay.verify(Provider.RAZORPAYX, mutant, headers, SECRETS)

    signed = razorpay_headers(body)["x-razorpay-signature"].encode()
    assert check(body, signed).body == body
    assert believed(check, body, signed) == 0


def test_of_ten_thousand_mutants_of_stripes_none_is_believed() -> None:
    """Invariants 32 and 33, F72: of the header its signature alone, since it may hold more than is known."""
    body = raw(stripe_event())
    begin, _, signature = stripe_headers(body)["stripe-signature"].rpartition("=")

    def check(mutant: bytes, signed: bytes) -> VerifiedEvent:
        headers = {"stripe-signature": f"{begin}={signed.decode('latin-1')}"}
        return stripe.verify(mutant, headers, SECRETS, NOW)

    assert check(body, signature.encode()).body == body
    assert believed(check, body, signature.encode()) == 0


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_way_changes_what_it_is_given(way: Callable[[bytes, random.Random], bytes]) -> None:
    assert way(b"0123456789", random.Random(4)) != b"0123456789"
