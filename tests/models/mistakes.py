"""The mistakes that are planted one at a time: each must be found, with the steps that lead to it."""

from enum import StrEnum


class Mistake(StrEnum):
    """One wrong turn of the protocol, or of what it assumes of a provider; the value says which."""

    NO_KEY = "requests carry no key"
    KEY_PER_ATTEMPT = "each attempt has a key of its own"
    NO_FENCE = "settle does not compare the token"
    TAKEN_UNFENCED = "a claim gives no new token to a row whose lease lapsed"
    READ_THEN_WRITE = "a claim reads the row, and writes it without looking again"
    CLIENT_CLOCK_CLAIM = "whether a lease is over is judged by the claimer's clock"
    CLIENT_CLOCK_CALL = "a holder's clock stood still while it slept: it calls after its lease"
    TIMEOUT_IS_FAILURE = "a time-out is taken for a failure"
    SECOND_REFUSAL = "a refusal of a second send is believed"
    SECOND_NOT_SENT = "'nothing left' is believed of a second send"
    SENDS_RESET = "a settle sets the count of sends back"
    INTENT_AFTER_CALL = "a send is counted when it was answered"
    RELEASED_WHILE_OUT = "a release after the send began counts it as not sent"
    LAPSED_IS_FAILED = "a lease that lapsed counts as a failure"
    WORN_IS_FAILED = "what was claimed too often is failed instead of looked up"
    ABSENT_IS_FAILED = "a look-up that finds nothing is believed"
    SENT_WITHOUT_LOOKING = "recover sends again, whatever the key's age, without a look-up"
    WINDOW_FROM_LAST_SEND = "the key's window is counted from the last send"
    FORGOTTEN_WHILE_OUT = "the provider forgets a key while a request is out"
    TWO_GENERATIONS = "an operator retries what is unknown, under a new key"
    REFERENCE_REPEATS = "the second generation is filed under the first one's reference"
    CANCELLED_AFTER_SEND = "an operator cancels what a worker left behind"
    DECLARED_WHILE_OUT = "two people declare unpaid what is still out"
    UNKNOWN_FORGOTTEN = "an unknown payout is left without work"
    HANDED_OVER_UNSEEN = "what accepted payouts become is never asked"
