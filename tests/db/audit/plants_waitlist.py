"""Every way in which a promise about the waitlist and its mails is broken on purpose."""

PLANTS = [
    (
        "appointments-taken-is-what-is-held",
        "UPDATE waitlist SET state = 'CANCELLED' WHERE state = 'NOTIFIED'",
        "appointment ",
    ),
    (
        "appointments-taken-is-what-is-held",
        "UPDATE waitlist SET state = 'REMINDED', expires_at = joined_at WHERE state = 'WAITING'",
        "appointment ",
    ),
    (
        "waitlist-nobody-waits-beside-a-free-place",
        """UPDATE appointments SET capacity = capacity + 1
           WHERE id IN (SELECT appointment FROM waitlist WHERE state = 'WAITING')""",
        "appointment ",
    ),
    ("waitlist-last-move-is-the-state", "UPDATE waitlist SET state = 'CANCELLED' WHERE state = 'WAITING'", "waitlist "),
    ("waitlist-work-fits-state", "DELETE FROM work WHERE job = 'waitlist.remind'", "waitlist "),
    ("mails-work-fits-state", "DELETE FROM work WHERE job = 'mails.send'", "mail "),
    ("mails-last-move-is-the-state", "UPDATE mails SET state = 'DROPPED'", "mail "),
    ("mails-state-fits-effect", "UPDATE mails SET state = 'SENT'", "mail "),
]  # fmt: skip
