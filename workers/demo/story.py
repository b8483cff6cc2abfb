"""The story of a webinar that sells out, as it happens: each act by a customer, through their shop, nothing by hand.

Twelve book. One thinks better of it, one falls ill and is given the money back: both places go to whoever
waits. One of those does not answer, is reminded, and loses the place to the next.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final

from domain.errors import RefusedError
from domain.payments import PaymentState
from domain.refunds import RefundState
from workers.demo.cast import BUYERS, HOST, PLAN, TITLE, WAITERS, WEBINAR, address
from workers.demo.shop import Answer, Scene, Shop, Till, together, until
from workers.mail.box import Kept

OFFERED, REMINDED, EXPIRED = "A place for you", "Your place is held until", "No longer held for you"
REFUNDED: Final = "Your refund"
TOLD: Final = (OFFERED, REMINDED, EXPIRED, REFUNDED)
"""What mails the story sends, by how their subjects begin."""
OPERATIONS: Final = (
    "bookings.start_checkout",
    "bookings.checkout",
    "bookings.cancel_pending_checkout",
    "bookings.participants",
    "waitlist.join",
    "waitlist.accept",
    "refunds.create",
    "refunds.show",
)
"""What the shop may ask for."""


OK: Final = 200


class Story:
    """Everybody who acts, and what came of it."""

    def __init__(
        self,
        shop: Shop,
        till: Till,
        mails: Callable[[], Sequence[Kept]],
        say: Callable[[str], None],
    ) -> None:
        self._shop, self._till, self._mails, self._say = shop, till, mails, say
        self._payments: dict[str, str] = {}
        self._entries: dict[str, str] = {}
        self._line = list(WAITERS)
        self.participants: list[str] = []
        """Who takes part in the end, as the host was told."""

    def tell(self) -> Scene:
        """Act it out. Raises `RefusedError` where somebody is answered what the story does not allow."""
        yield from self._sells_out()
        yield from self._is_waited_for()
        yield from self._one_thinks_better()
        yield from self._one_falls_ill()
        yield from self._takes_place()

    def letters(self) -> Counter[tuple[str, str]]:
        """How often each mail came, by who got it and what it says."""
        return Counter((mail.to, mail.subject) for mail in self._mails())

    def _sells_out(self) -> Scene:
        self._say(f"{TITLE}: {len(BUYERS)} places, and as many customers at once")
        yield from together(*map(self._books, BUYERS[:-1]), self._hesitates(BUYERS[-1]))
        late = yield from self._begins(WAITERS[0], 1)
        if late.code != "sold_out":
            raise RefusedError(f"a place too many was sold: {late.document}")
        self._say(f"sold out: {len(BUYERS) - 1} paid, {BUYERS[-1]} is still at the gateway's page")

    def _is_waited_for(self) -> Scene:
        for who in WAITERS:
            joined = yield from self._asks("waitlist.join", who, "joins", appointment=WEBINAR)
            self._entries[who] = joined["entry"]
        self._say(f"{', '.join(WAITERS)} wait for a place")

    def _one_thinks_better(self) -> Scene:
        who = BUYERS[-1]
        payment = self._payments[who]
        yield from self._asks("bookings.cancel_pending_checkout", who, "cancels", payment=payment)
        self._say(f"{who} cancels")
        yield from self._passes_on()

    def _one_falls_ill(self) -> Scene:
        who, silent = BUYERS[0], self._line.pop(0)
        self._say(f"{who} is ill, and is given the money back")
        yield from together(self._is_refunded(who), self._does_not_answer(silent))
        yield from self._passes_on()

    def _takes_place(self) -> Scene:
        roster = yield from self._asks("bookings.participants", HOST, appointment=WEBINAR)
        self.participants = [one["external_id"] for one in roster["participants"]]
        self._say(f"{len(self.participants)} take part; {len(self._line)} still in line")

    def _books(self, who: str) -> Scene:
        payment, order = yield from self._opens(who)
        yield from self._pays(who, payment, order)
        self._payments[who] = payment

    def _hesitates(self, who: str) -> Scene:
        self._payments[who], _ = yield from self._opens(who)

    def _opens(self, who: str) -> Generator[None, None, tuple[str, str]]:
        """A checkout and its order at the gateway; one that the gateway refuses is begun again."""
        wish: dict[str, object] = {}
        for attempt in itertools.count(1):
            begun = self._granted(who, (yield from self._begins(who, attempt, **wish)))
            order = yield from self._ordered(who, begun["payment"])
            if order is not None:
                return begun["payment"], order
            wish = {"booking": begun["booking"]}
        raise AssertionError("there is always one more attempt")

    def _begins(self, who: str, attempt: int, **wish: object) -> Generator[None, None, Answer]:
        return (
            yield from self._shop.ask(
                "bookings.start_checkout",
                who,
                f"{who} cart {attempt}",
                plan=PLAN,
                appointment=WEBINAR,
                **wish,
            )
        )

    def _ordered(self, who: str, payment: str) -> Generator[None, None, str | None]:
        """What the gateway calls the order of a checkout; None where it refused it."""
        while True:
            seen = yield from self._asks("bookings.checkout", who, payment=payment)
            if seen["gateway_order"] is not None:
                return str(seen["gateway_order"])
            if seen["state"] != PaymentState.PENDING:
                return None
            yield

    def _pays(self, who: str, payment: str, order: str) -> Scene:
        self._granted(who, (yield from self._till.pay(order)))
        while True:
            seen = yield from self._asks("bookings.checkout", who, payment=payment)
            if seen["state"] == PaymentState.SUCCEEDED:
                return
            yield

    def _passes_on(self) -> Scene:
        """Whoever is next takes the freed place; where the gateway refuses their order it goes on."""
        while True:
            who = self._line.pop(0)
            yield from self._hears(who, OFFERED)
            self._say(f"{who} is offered the place")
            entry = self._entries[who]
            taken = yield from self._asks("waitlist.accept", who, "accepts", entry=entry)
            order = yield from self._ordered(who, taken["payment"])
            if order is not None:
                break
            self._say(f"the gateway refuses what {who} would pay by")
        yield from self._pays(who, taken["payment"], order)
        self._say(f"{who} has the place, and paid")

    def _is_refunded(self, who: str) -> Scene:
        """What the gateway refuses for good is asked for again."""
        for attempt in itertools.count(1):
            asked = {"payment": self._payments[who], "why": "is ill"}
            given = yield from self._asks("refunds.create", who, f"refund {attempt}", **asked)
            while given["state"] not in {RefundState.CASCADED, RefundState.FAILED}:
                yield
                given = yield from self._asks("refunds.show", who, refund=given["refund"])
            if given["state"] == RefundState.CASCADED:
                break
        yield from self._hears(who, REFUNDED)
        self._say(f"{who} has the money back")

    def _does_not_answer(self, who: str) -> Scene:
        yield from self._hears(who, OFFERED)
        self._say(f"{who} is offered the place, and does not answer")
        yield from self._hears(who, REMINDED)
        self._say(f"{who} is reminded")
        yield from self._hears(who, EXPIRED)
        self._say(f"the offer to {who} is over")

    def _hears(self, who: str, subject: str) -> Scene:
        def came() -> bool:
            mails = self._mails()
            return any(m.to == address(who) and m.subject.startswith(subject) for m in mails)

        yield from until(came)

    def _asks(
        self, operation: str, who: str, key: str = "", **fields: object
    ) -> Generator[None, None, Mapping[str, Any]]:
        named = f"{who} {key}" if key else ""
        answer = yield from self._shop.ask(operation, who, named, **fields)
        return self._granted(who, answer)

    def _granted(self, who: str, answer: Answer) -> Mapping[str, Any]:
        if answer.code or answer.status != OK:
            raise RefusedError(f"{who} was answered {answer.status}: {answer.document}")
        return answer.document
