"""How each constraint about refunds is broken: by a copy of a row that has something else than it, or by an update."""

from typing import Final

from tests.db.broken_obligations import UNKNOWN

OF_REFUNDS: Final[dict[str, dict[str, object]]] = {
    "refunds_are_of_the_leg": {"given_back": 1001},
    "given_back_was_captured": {"given_back": True},
    "refund_records_refund_fkey": {"refund": UNKNOWN},
    "refund_records_owner_fkey": {"action": "payout_clawback", "owner": UNKNOWN},
    "refund_records_account_fkey": {"action": "payout_clawback", "account": -1},
    "refund_records_action_check": {"action": "luck"},
    "refund_records_amount_check": {"amount": 0},
    "refund_records_balance_after_check": {"balance_after": -1},
    "refunds_once_per_key": {"id": UNKNOWN, "given_as": None, "given_by": None},
    "refunds_once_per_name": {"id": UNKNOWN, "key": "another"},
    "refunds_are_named_by_a_gateway": {"given_by": None},
    "refunds_payment_fkey": {
        "id": UNKNOWN,
        "key": "another",
        "given_as": None,
        "given_by": None,
        "payment": UNKNOWN,
    },
    "refunds_amount_check": {"amount": 0, "gateway": 0},
    "refunds_gateway_check": {"gateway": -1, "wallet": 101},
    "refunds_wallet_check": {"wallet": -1, "gateway": 101},
    "refunds_referral_credit_check": {"referral_credit": -1, "gateway": 101},
    "refund_legs_add_up": {"gateway": 99},
    "taken_is_of_the_gateway": {"origin": "dispute", "gateway": 99, "wallet": 1},
    "again_is_of_another": {"origin": "again"},
    "payee_part_is_of_the_refund": {"payee_part": 101},
    "cascaded_is_divided": {"state": "CASCADED"},
    "refunds_generation_check": {"generation": 0},
    "refunds_origin_check": {"origin": "luck"},
    "refunds_state_check": {"state": "LOST"},
    "refunds_count_in_their_legs": {
        "id": UNKNOWN,
        "key": "another",
        "given_as": None,
        "given_by": None,
        "gateway": 99,
        "wallet": 1,
    },
}

OF_REFUNDS_BY_UPDATE: Final = {
    "refunds_move_in_their_legs": "UPDATE refunds SET gateway = 2000, amount = 2000",
    "refunds_again_of_fkey": "UPDATE refunds SET origin = 'again', again_of = '?'".replace(
        "?", UNKNOWN
    ),
    "refunds_again_once": """
        DO $$ BEGIN
          UPDATE refunds SET state = 'CASCADED', payee_part = 0, taken_back_at = clock_timestamp();
          INSERT INTO refunds (id, payment, origin, again_of, scope, actor, key, request_hash, amount, gateway, wallet,
                               referral_credit, currency, why, asked_by, state, effect_key)
          SELECT gen_random_uuid(), payment, 'again', id, 'again', '', n, '', gateway, gateway, 0, 0, currency, 'so',
                 'asha', 'PROPOSED', gen_random_uuid() FROM refunds CROSS JOIN generate_series(1, 2) n;
        END $$""",
}
"""What breaks a promise about what may follow."""
