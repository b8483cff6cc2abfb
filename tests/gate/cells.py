"""What whoever accepts the bookings tries, cell by cell; a test says by its name which cells it is.

A cell has the letter of its matrix and a number: `test_c04_…` is C04, `test_c07_c09_…` is two of them.
"""

from typing import Final

_CANCEL: Final = """C01 its customer cancels a checkout that is PENDING: all of it ends, wallet and credit are whole
C02 of a webinar only the caller's own places are freed
C03 of a class only the caller leaves, all its sessions; the sessions stay
C04 what SUCCEEDED is a conflict, and stays
C05 what is EXPIRED already is a conflict
C06 whose booking is settled is a conflict, and its payment is PENDING as before
C07 somebody else's is not found
C08 nobody cancels who does not say who they are
C09 what there is not is not found, in the same words
C10 the eleventh in a minute is told to wait; twelve at once: one is done, nine conflict, two wait"""

_WALLET: Final = """W01 given back whole: one record, with its owner, its amount and the balance after
W02 where the payment names no organisation, record and books name the wallet's owner
W03 two halves are a record each, and the whole together
W04 of wallet and credit exactly one record is the wallet's
W05 paid out already: what the payee owes is on record, and the wallet's record beside it"""

_PAYOUTS: Final = """P01 every fact of a payout that was sent is on its row
P02 two runs at once pay each once
P03 a run that may not look, or finds all held while payouts wait, is no success
P04 an organisation that is refused keeps nobody back, and is told
P05 a setting that is missing under the name it is read by stops the start"""

_LINE: Final = """L01 a freed place is offered, reminded of, and offered to the next when its time is over
L02 of two runs at once the second ends cleanly
L03 a connection that is lost for a moment costs a retry, and no mail
L04 run again and again, nobody is told twice"""

_RACES: Final = """R01 cancel against cancel: one is done, eleven conflict
R02 cancel against the gateway's word: ended, or paid, or owed back; never PENDING
R03 fifty want the last seats: exactly as many have one as there are
R04 an offer's end against its acceptance: one of both
R05 a checkout asked for again under its key is one payment and the same answer"""

MATRICES: Final = {
    "Cancelling a checkout": _CANCEL,
    "A refund to a wallet": _WALLET,
    "The payout job": _PAYOUTS,
    "The waitlist's jobs": _LINE,
    "At once": _RACES,
}
CELLS: Final = {
    line.partition(" ")[0]: line.partition(" ")[2]
    for lines in MATRICES.values()
    for line in lines.splitlines()
}
