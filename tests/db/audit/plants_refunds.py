"""Every way in which a promise about refunds is broken on purpose."""

ORPHANED = """
    UPDATE payments SET orphaned = true
    WHERE id IN (SELECT payment FROM refunds WHERE wallet > 0 AND state = 'CASCADED');
    INSERT INTO entries (id, type, key, currency, effective_on, actor)
    SELECT -7, 'checkout.released', 'payment:' || payment || ':released', 'INR', '2026-01-01', 'planted'
    FROM refunds WHERE wallet > 0 AND state = 'CASCADED'"""

PLANTS = [
    (
        "refunds-no-more-than-paid",
        "UPDATE payment_legs SET given_back = given_back - 1 WHERE given_back > 0 AND kind = 'wallet'",
        "payment ",
    ),
    ("refunds-no-more-than-paid", "UPDATE refunds SET state = 'FAILED' WHERE state = 'PROCESSING'", "payment "),
    ("refunds-no-more-than-paid", "UPDATE refunds SET state = 'RESERVED' WHERE state = 'FAILED'", "payment "),
    (
        "refunds-no-more-than-paid",
        ORPHANED,
        "payment ",
    ),
    ("payments-given-back-whole", "UPDATE payments SET given_back = false WHERE given_back", "payment "),
    (
        "payments-given-back-whole",
        "UPDATE payments SET given_back = true WHERE NOT given_back AND state = 'SUCCEEDED'",
        "payment ",
    ),
    ("refunds-are-in-the-books", "DELETE FROM entries WHERE type = 'refund.given'", "refund "),
    (
        "refunds-are-in-the-books",
        "UPDATE refunds SET payee_part = payee_part - 1 WHERE state = 'CASCADED'",
        "refund ",
    ),
    (
        "refunds-are-in-the-books",
        "UPDATE refunds SET gateway = gateway - 1, wallet = wallet + 1 WHERE state = 'CASCADED'",
        "refund ",
    ),
    (
        "refunds-are-in-the-books",
        "UPDATE refunds SET payee_part = 1 WHERE state = 'RESERVED'",
        "refund ",
    ),
    ("refunds-are-recorded", "DELETE FROM refund_records", "refund "),
    ("refunds-are-recorded", "UPDATE refund_records SET amount = amount + 1", "refund "),
    (
        "refunds-are-recorded",
        "UPDATE refund_records SET owner = (SELECT consultant FROM plans LIMIT 1)",
        "refund ",
    ),
    (
        "refunds-reduce-earnings",
        "UPDATE earnings SET refunded = refunded - 1 WHERE refunded > 0 AND external_id LIKE 'payment:%'",
        "payment ",
    ),
    ("refunds-work-fits-state", "DELETE FROM work WHERE job = 'refunds.submit'", "refund "),
    ("refunds-work-fits-state", "DELETE FROM work WHERE job = 'refunds.recover'", "refund "),
    ("refunds-work-fits-state", "UPDATE work SET job = 'refunds.cascade' WHERE job = 'refunds.recover'", "refund "),
    (
        "refunds-state-fits-effect",
        "UPDATE refunds SET given_as = NULL, given_by = NULL WHERE state = 'CASCADED'",
        "refund ",
    ),
    ("refunds-state-fits-effect", "UPDATE effects SET state = 'rejected' WHERE kind = 'refund.give'", "refund "),
    ("refunds-last-move-is-the-state", "UPDATE refunds SET state = 'REJECTED' WHERE state = 'FAILED'", "refund "),
]  # fmt: skip
