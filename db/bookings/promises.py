"""What bookings promise beyond their machines: places are counted, seats are paid for, money follows the state."""

from typing import Final

from db.aggregates import walk
from db.bookings.capture import GONE
from db.invariant import Invariant
from domain.appointments import APPOINTMENTS, SEATS
from domain.bookings import BOOKINGS
from domain.findings import FindingKind
from domain.payments import ORDERS, PAYMENTS

TAKEN_IS_WHAT_IS_HELD: Final = Invariant(
    name="appointments-taken-is-what-is-held",
    promise="Every appointment counts as taken exactly the places of its tentative and confirmed seats and of live offers.",
    walk=walk(APPOINTMENTS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      WITH held AS (
        SELECT s.appointment, sum(s.places) AS places FROM page a JOIN seats s ON s.appointment = a.id
        WHERE s.state IN ('TENTATIVE', 'CONFIRMED') GROUP BY s.appointment),
      offered AS (
        SELECT w.appointment, count(*) AS places FROM page a JOIN waitlist w ON w.appointment = a.id
        WHERE w.state IN ('NOTIFIED', 'REMINDED') GROUP BY w.appointment)
      SELECT 'appointment ' || a.id AS subject,
             format('%s of %s places are taken, seats hold %s, offers %s', a.taken, a.capacity, coalesce(h.places, 0),
                    coalesce(o.places, 0)) AS detail
      FROM page a LEFT JOIN held h ON h.appointment = a.id LEFT JOIN offered o ON o.appointment = a.id
      WHERE a.taken <> coalesce(h.places, 0) + coalesce(o.places, 0)""",
)

SLOTS_FIT_THEIR_APPOINTMENT: Final = Invariant(
    name="appointments-slots-fit",
    promise="Every slot takes the time of its plan's own consultant, and is confirmed exactly while its appointment stands, "
    "which begins with the first of its slots and ends with the last.",
    walk=walk(APPOINTMENTS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      WITH times AS (
        SELECT s.appointment, min(s.starts_at) AS starts_at, max(s.ends_at) AS ends_at
        FROM page a JOIN slots s ON s.appointment = a.id GROUP BY s.appointment)
      SELECT 'appointment ' || a.id AS subject,
             format('it is %s, of consultant %s; its slot at %s is of %s, confirmed: %s',
                    a.state, c.number, s.starts_at, s.consultant, s.confirmed) AS detail
      FROM page a JOIN slots s ON s.appointment = a.id
      JOIN plans l ON l.id = a.plan JOIN consultants c ON c.payee = l.consultant
      WHERE s.consultant <> c.number OR s.confirmed <> (a.state NOT IN ('TENTATIVE', 'CANCELLED'))
      UNION ALL
      SELECT 'appointment ' || a.id AS subject,
             format('it is from %s to %s, its slots are from %s to %s', a.starts_at, a.ends_at, t.starts_at, t.ends_at) AS detail
      FROM page a JOIN times t ON t.appointment = a.id
      WHERE (a.starts_at, a.ends_at) <> (t.starts_at, t.ends_at)""",
)

HELD_SEATS_ARE_KEPT: Final = Invariant(
    name="seats-held-are-kept",
    promise="No seat that a checkout held was given up as that was paid, unless its time was taken or its appointment was over.",
    walk=walk(SEATS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences=f"""
      SELECT 'seat ' || s.id AS subject, format('it was held, and released %s: {GONE}', m.at) AS detail
      FROM page s JOIN appointments a ON a.id = s.appointment
      JOIN moves m ON m.subject = s.id AND m.kind = 'seat' AND m.source = 'TENTATIVE' AND m.reason = '{GONE}'
      WHERE a.state <> 'OVER'""",
)

SEATS_ARE_OF_THEIR_PLAN: Final = Invariant(
    name="seats-are-of-their-plan",
    promise="Every seat is at an appointment of the plan that its booking is for.",
    walk=walk(SEATS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'seat ' || s.id AS subject,
             format('its appointment is of plan %s, its booking for plan %s', a.plan, b.plan) AS detail
      FROM page s JOIN appointments a ON a.id = s.appointment JOIN bookings b ON b.id = s.booking
      WHERE a.plan <> b.plan""",
)

LEGS_ARE_OF_THEIR_OWNER: Final = Invariant(
    name="payments-legs-are-their-owners",
    promise="What pays a part of a payment is of its customer: their own wallet or credit, or the wallet of the "
    "organisation that it names.",
    walk=walk(PAYMENTS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payment ' || p.id AS subject,
             format('its leg %s is taken from account %s (%s %s %s)', g.kind, a.id, a.kind, a.owner, a.currency) AS detail
      FROM page p JOIN payment_legs g ON g.payment = p.id JOIN accounts a ON a.id = g.account JOIN customers c ON c.id = p.customer
      WHERE a.kind <> g.kind OR a.currency <> p.currency
         OR a.owner IS DISTINCT FROM CAST(CASE g.kind WHEN 'wallet' THEN coalesce(p.organisation, c.payee) ELSE c.id END AS text)""",
)

SEATS_FOLLOW_THEIR_BOOKING: Final = Invariant(
    name="bookings-seats-fit",
    promise="A SCHEDULED booking has a confirmed seat at what is not over yet, a COMPLETED one has one anywhere, an ended one none.",
    walk=walk(BOOKINGS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      WITH seated AS (
        SELECT s.booking, count(*) AS seats, count(*) FILTER (WHERE a.state <> 'OVER') AS to_come
        FROM page b JOIN seats s ON s.booking = b.id JOIN appointments a ON a.id = s.appointment
        WHERE s.state = 'CONFIRMED' GROUP BY s.booking)
      SELECT 'booking ' || b.id AS subject,
             format('it is %s with %s confirmed seats, %s of them to come', b.state, coalesce(s.seats, 0), coalesce(s.to_come, 0)) AS detail
      FROM page b LEFT JOIN seated s ON s.booking = b.id
      -- Only the end of an appointment ends what was kept: at nothing but what is over, nothing would.
      WHERE CASE WHEN b.state = 'SCHEDULED' THEN coalesce(s.to_come, 0) = 0
                 WHEN b.state = 'COMPLETED' THEN s.seats IS NULL
                 WHEN b.state IN ('CANCELLED', 'EXPIRED') THEN s.seats > 0 END""",
)

WAITS_FOR_A_CHECKOUT: Final = Invariant(
    name="bookings-wait-for-a-checkout",
    promise="Every booking that is to be paid has a checkout that is under way, or was refused a day ago at most: that ends it.",
    walk=walk(BOOKINGS),
    finding=FindingKind.WORK_MISSING,
    offences="""
      SELECT 'booking ' || b.id AS subject, format('it is %s, and %s checkouts of it have ended', b.state, count(p.id)) AS detail
      FROM page b LEFT JOIN payments p ON p.booking = b.id
      WHERE b.state = 'APPROVED_PENDING_PAYMENT'
      GROUP BY b.id, b.state HAVING bool_and(coalesce(p.state, '') NOT IN ('PENDING', 'FAILED'))""",
)

LEGS_ADD_UP: Final = Invariant(
    name="payments-legs-add-up",
    promise="Every payment is the sum of its legs, and has an order of exactly what the gateway's leg is.",
    walk=walk(PAYMENTS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      WITH legs AS (
        SELECT l.payment, sum(l.amount) AS amount, sum(l.amount) FILTER (WHERE l.kind = 'gateway') AS gateway
        FROM page p JOIN payment_legs l ON l.payment = p.id GROUP BY l.payment)
      SELECT 'payment ' || p.id AS subject,
             format('%s of %s in legs, %s of it by the gateway, which is asked for %s',
                    coalesce(l.amount, 0), p.amount, coalesce(l.gateway, 0), coalesce(o.amount, 0)) AS detail
      FROM page p LEFT JOIN legs l ON l.payment = p.id LEFT JOIN orders o ON o.payment = p.id
      WHERE l.amount IS DISTINCT FROM p.amount OR l.gateway IS DISTINCT FROM o.amount""",
)

MONEY_FOLLOWS_THE_STATE: Final = Invariant(
    name="payments-have-their-entries",
    promise="Every payment has exactly the entries of its state: held while it is under way, then given back, paid, or owed back.",
    walk=walk(PAYMENTS),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH ours AS (
        SELECT DISTINCT l.payment FROM page p JOIN payment_legs l ON l.payment = p.id WHERE l.kind <> 'gateway'),
      wanted AS (
        SELECT p.id, concat_ws(' ',
                 CASE WHEN o.payment IS NOT NULL THEN 'held' END,
                 CASE WHEN p.orphaned THEN 'orphaned' END,
                 -- What was captured elsewhere was shared in other books.
                 CASE WHEN p.state = 'SUCCEEDED' AND NOT p.orphaned AND NOT p.taken_over THEN 'paid' END,
                 CASE WHEN o.payment IS NOT NULL AND p.state IN ('EXPIRED', 'FAILED') THEN 'released' END) AS words,
               o.payment IS NOT NULL AND p.orphaned AS may_be_released
        FROM page p LEFT JOIN ours o ON o.payment = p.id),
      booked AS (
        SELECT w.id, string_agg(k.word, ' ' ORDER BY k.word) AS words
        FROM wanted w CROSS JOIN (VALUES ('held'), ('orphaned'), ('paid'), ('released')) AS k (word)
        JOIN entries e ON e.key = 'payment:' || w.id || ':' || k.word GROUP BY w.id)
      SELECT 'payment ' || w.id AS subject, format('its entries are: %s; they should be: %s', b.words, w.words) AS detail
      FROM wanted w LEFT JOIN booked b ON b.id = w.id
      -- What was captured late had been given back before.
      WHERE coalesce(b.words, '') NOT IN (w.words, CASE WHEN w.may_be_released THEN w.words || ' released' ELSE w.words END)""",
)

EARNED_ONCE: Final = Invariant(
    name="payments-are-earned",
    promise="Every payment that pays for its booking has its earning, of what was paid and of whoever offers its plan, "
    "and no other payment has one.",
    walk=walk(PAYMENTS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'payment ' || p.id AS subject,
             format('it is %s, orphaned: %s, of %s for %s; its earning is of %s, of %s',
                    p.state, p.orphaned, p.amount, l.consultant, e.gross, e.payee) AS detail
      FROM page p JOIN bookings b ON b.id = p.booking JOIN plans l ON l.id = b.plan LEFT JOIN earnings e ON e.id = p.id
      WHERE e.gross IS DISTINCT FROM CASE WHEN p.state = 'SUCCEEDED' AND NOT p.orphaned THEN p.amount END
         OR e.payee <> l.consultant""",
)

ORDERS_FOLLOW_THEIR_PAYMENT: Final = Invariant(
    name="orders-follow-their-payment",
    promise="An order is open while its payment is PENDING, CLOSED once that SUCCEEDED, and to be forgotten otherwise.",
    walk=walk(ORDERS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'order ' || o.id AS subject, format('it is %s, its payment is %s', o.state, p.state) AS detail
      FROM page o JOIN payments p ON p.id = o.payment
      WHERE NOT CASE p.state WHEN 'PENDING' THEN o.state IN ('NEW', 'OPEN') WHEN 'SUCCEEDED' THEN o.state = 'CLOSED'
                             ELSE o.state IN ('CLOSING', 'CLOSED') END""",
)
