"""What is changed of payees and what they earned to break what the database promises of what may follow."""

from typing import Final

OF_PAYOUTS_BY_UPDATE: Final = {
    "earnings_move_as_listed": """
        DO $$ BEGIN
          UPDATE earnings SET state = 'REFUNDED' WHERE state IN ('READY', 'BATCHED');
          UPDATE earnings SET state = 'READY' WHERE state = 'REFUNDED';
        END $$""",
    "accounts_are_made_payable_by_two": """
        DO $$ BEGIN
          UPDATE payout_accounts SET verified = false;
          INSERT INTO switches (name, is_on, who, why) VALUES ('policy:maker-checker', true, 'asha', 'policy');
          UPDATE payout_accounts SET verified = true;
        END $$""",
}
"""By the promise that each breaks: a statement."""
