"""Every way in which a promise about bookings is broken on purpose."""

PLANTS = [
    ("appointments-taken-is-what-is-held", "UPDATE appointments SET taken = 0 WHERE taken = 1", "appointment "),
    ("appointments-taken-is-what-is-held", "UPDATE seats SET places = 2 WHERE state = 'CONFIRMED'", "appointment "),
    (
        "appointments-taken-is-what-is-held",
        "UPDATE seats SET state = 'TENTATIVE' WHERE state = 'RELEASED'",
        "appointment ",
    ),
    ("appointments-slots-fit", "UPDATE slots SET confirmed = false WHERE confirmed", "appointment "),
    (
        "appointments-slots-fit",
        """UPDATE slots s SET confirmed = true FROM appointments a
           WHERE a.id = s.appointment AND a.state = 'CANCELLED'""",
        "appointment ",
    ),
    ("appointments-slots-fit", "UPDATE slots SET consultant = consultant + 1 WHERE NOT confirmed", "appointment "),
    (
        "appointments-slots-fit",
        "UPDATE appointments SET starts_at = starts_at - interval '1 second' WHERE state = 'PLANNED'",
        "appointment ",
    ),
    (
        "appointments-slots-fit",
        "UPDATE slots SET ends_at = ends_at + interval '1 second' WHERE NOT confirmed",
        "appointment ",
    ),
    ("bookings-seats-fit", "UPDATE seats SET state = 'RELEASED' WHERE state = 'CONFIRMED'", "booking "),
    ("bookings-seats-fit", "UPDATE seats SET state = 'CONFIRMED' WHERE state = 'RELEASED'", "booking "),
    ("bookings-seats-fit", "UPDATE bookings SET state = 'SCHEDULED' WHERE state = 'CANCELLED'", "booking "),
    ("bookings-seats-fit", "UPDATE appointments SET state = 'OVER' WHERE state = 'PLANNED'", "booking "),
    ("payments-legs-add-up", "DELETE FROM payment_legs WHERE kind = 'referral_credit'", "payment "),
    ("payments-legs-add-up", "UPDATE payments SET amount = amount + 1", "payment "),
    ("payments-legs-add-up", "UPDATE orders SET amount = amount + 1", "payment "),
    ("payments-legs-add-up", "DELETE FROM orders", "payment "),
    ("payments-have-their-entries", "DELETE FROM entries WHERE type = 'checkout.held'", "payment "),
    ("payments-have-their-entries", "DELETE FROM entries WHERE type = 'booking.paid'", "payment "),
    ("payments-have-their-entries", "DELETE FROM entries WHERE type = 'booking.orphaned'", "payment "),
    ("payments-have-their-entries", "UPDATE payments SET orphaned = true WHERE state = 'SUCCEEDED'", "payment "),
    ("payments-have-their-entries", "UPDATE payments SET state = 'FAILED' WHERE state = 'PENDING'", "payment "),
    (
        "payments-have-their-entries",
        "UPDATE entries SET key = replace(key, ':released', ':paid') WHERE type = 'checkout.released'",
        "payment ",
    ),
    ("payments-are-earned", "DELETE FROM earnings WHERE external_id LIKE 'payment:%'", "payment "),
    ("payments-are-earned", "UPDATE earnings SET gross = gross + 1 WHERE external_id LIKE 'payment:%'", "payment "),
    ("payments-are-earned", "UPDATE payments SET orphaned = true WHERE state = 'SUCCEEDED'", "payment "),
    (
        "payments-are-earned",
        "UPDATE earnings SET payee = (SELECT payee FROM consultants ORDER BY payee LIMIT 1)",
        "payment ",
    ),
    ("payments-legs-are-their-owners", "UPDATE accounts SET owner = owner || 1 WHERE kind = 'referral_credit'",
     "payment "),
    ("payments-legs-are-their-owners", "UPDATE payment_legs SET kind = 'wallet' WHERE kind <> 'gateway'", "payment "),
    (
        "seats-are-of-their-plan",
        "UPDATE bookings SET plan = (SELECT id FROM plans ORDER BY id LIMIT 1)",
        "seat ",
    ),
    (
        "seats-held-are-kept",
        """UPDATE moves SET reason = 'captured when its seat was gone'
           WHERE kind = 'seat' AND source = 'TENTATIVE' AND target = 'RELEASED'""",
        "seat ",
    ),
    (
        "orders-follow-their-payment",
        """UPDATE orders SET state = 'OPEN', provider = 'razorpay', gateway_id = id, captured_as = NULL
           WHERE state = 'CLOSED'""",
        "order ",
    ),
    ("orders-follow-their-payment", "UPDATE orders SET state = 'CLOSED' WHERE state = 'NEW'", "order "),
    ("orders-follow-their-payment", "UPDATE orders SET state = 'NEW' WHERE state = 'CLOSING'", "order "),
    (
        "bookings-wait-for-a-checkout",
        "UPDATE bookings SET state = 'APPROVED_PENDING_PAYMENT' WHERE state = 'CANCELLED'",
        "booking ",
    ),
    (
        "bookings-wait-for-a-checkout",
        "UPDATE bookings SET state = 'APPROVED_PENDING_PAYMENT' WHERE state = 'PENDING'",
        "booking ",
    ),
    ("bookings-work-fits-state", "DELETE FROM work WHERE job = 'bookings.expire_wishes'", "booking "),
    ("bookings-last-move-is-the-state", "UPDATE bookings SET state = 'APPROVED'", "booking "),
    ("seats-work-fits-state", "DELETE FROM work WHERE job = 'bookings.release_tentative'", "seat "),
    ("payments-work-fits-state", "DELETE FROM work WHERE job = 'bookings.expire_checkouts'", "payment "),
    (
        "disputes-hold-their-earning",
        """INSERT INTO disputes (id, provider, name, payment, amount, currency)
           SELECT id, 'razorpay', CAST(id AS text), id, 1, currency FROM payments
           WHERE state = 'SUCCEEDED' AND NOT orphaned""",
        "dispute ",
    ),
    ("orders-work-fits-state", "DELETE FROM work WHERE job = 'bookings.open_orders'", "order "),
    ("orders-work-fits-state", "DELETE FROM work WHERE job = 'bookings.close_orders'", "order "),
    (
        "orders-work-fits-state",
        "UPDATE orders SET state = 'OPEN', provider = 'razorpay', gateway_id = id WHERE state = 'NEW'",
        "order ",
    ),
    ("appointments-work-fits-state", "DELETE FROM work WHERE job = 'bookings.complete'", "appointment "),
]  # fmt: skip
