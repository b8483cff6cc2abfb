"""The rules of payouts, tax, webhooks and bookings that a reviewer of money would try; and what is easily done wrong.

A test says in its docstring which rules it holds ("Invariant 28: …"). What is easily done wrong, by other
systems or by whoever writes the obvious, has its tests named here.
"""

from typing import Final

_SENDING = """1 a payout is paid at most once, whatever dies, is asked twice or hears nothing
2 who loses the swap of a claim makes no call, and says skipped
3 what is skipped is counted neither as success nor as failure
4 a retry of an attempt sends the same key and the same bytes, whatever has changed since
5 keys, references, narrations and amounts keep the provider's rules
6 a new key is made only after a definite refusal
7 no answer, or one that says nothing, moves nothing: PROCESSING, its earnings linked
8 a refusal of a first send fails it and frees its earnings once; a refusal of us puts it back and sets the brake
9 a refusal of a later send says nothing of the first
10 what the provider accepted and we could not write is found and adopted, never failed
11 a look-up adopts one, sends the same again for none, leaves several to a person, and changes nothing where it failed
12 nothing fails by its age
13 nothing is sent again under a key that its provider may have forgotten
14 what is owed by the linked earnings is the payout's amount as it is claimed; less is not sent
15 an earning is in one live payout
16 a dispute on any of its earnings keeps a payout back
17 too little money is known before anything is sent; money that nobody tells of keeps nothing back
18 the kill switch: no call, no change of state; a dry run: no write, no call
19 who made a payout does not approve it where the policy is on; by rule only what is strictly below the limit
20 the minimum is paid, and a paisa less is not
21 currencies are never mixed, and none is sent that the provider does not pay out
22 nothing is sent to an account that is not verified or not active"""

_WEBHOOKS = """23 an event that comes many times has one effect
24 events in any order end in the same state and the same books
25 what comes late after an end changes nothing
26 paid, then given back: one inverse entry, earnings and tax back once
27 given back before it was heard to be paid: nothing completes it again
28 paid after it had failed: its earnings are taken back, or its payee owes it, and a person is told
29 a word nobody knows moves nothing, and a person is told
30 what has no provider's name yet is found by our reference, and only that
31 another amount, currency or account is not applied, and a person is told
32 signatures are over the bytes as they came, also by the secret before; anything else leaves nothing
33 Stripe's: nothing older than 300 seconds; any one of several signatures
34 a death between taking an event and its effect leaves it to the next
35 who was taken over marks nothing as done
36 an event is tried a bounded number of times, then listed and replayed by a person
37 an id is one event of one provider"""

_TAX = """38 gross is net and tax, and what is sent is more than nothing
39 five lakh is free and one paisa more is not; payouts at once share one exemption
40 only individuals and families with a PAN are spared; five per cent without one
41 years and quarters begin at midnight in India, both read from one moment
42 one record of what was paid, none of what was not, and not more given back than was recorded
43 the rate is that of the day"""

_BOOKINGS = """68 a cancel and a capture at once: ended, or paid, or an orphan that is owed back; never PENDING
69 of twelve cancels at once one is done, the others are told of a conflict or of the limit
70 a cancel touches nobody else's seat, and nothing at all where its booking is settled
71 somebody else's payment is one that is not there, to the byte
72 a seat whose payment succeeded is never released, not even where it lands meanwhile
73 places confirmed, held and offered are never more than there are
74 of expiring and booking one wins; so many places freed, so many offers, in the order of the line
75 a reminder goes once, is not sent where its sender failed, and is caught up where a run was missed"""

_RUNNING = """76 no lease to be had is an error, one that another has is none; nothing done while payouts wait is one
77 who lost its lease begins no effect more, and gives back its own alone
78 one item's failure is told, and stops none of its siblings
79 the clock is handed in, and no rule reads it twice"""

_BOOKS = """44 debits are credits, entry by entry and currency by currency
45 what was booked, moved or answered stays, whoever tries to change it
46 what is stored of an account is what its postings add up to, after any mix of writers and deaths
47 a key is one entry: the same again is it, other content is an error, both at once too
48 bounded accounts are never below zero; those that may be are listed
49 opposite transfers lock in one order and never deadlock
50 rows, entries, balances, totals and history are committed together, or none of them
51 a type touches the accounts of its map alone; what is refused is kept"""

_DISPERSALS = """60 shares and fee are what was received, whatever its size and the order of the input
61 however often and under whatever key it is asked for, what was divided is divided once
62 healing tries three times again, the fourth failure escalates, once, and later runs leave it alone
63 what was divided meanwhile is not escalated, and what was told of it goes
64 what cannot be divided stops nothing else, and says why
65 what the fee took whole is divided, and no orphan
66 a payout that is confirmed has its entry: a missing one is named, and never posted in silence
67 an item leaves suspense by an entry that names it, never more than is open"""

_REFUNDS = """52 refunds, and disputes that were lost, are never more than what was captured, not by fifty at once
53 a part is taken from each leg by its proportion, the last takes what is left; two halves are the whole
54 one record for each wallet's leg of a refund, with its owner, its amount and the balance after
55 a refund comes into the books once, however often its success is told"""

RULE_GROUPS: Final = {
    "Sending": _SENDING,
    "States and webhooks": _WEBHOOKS,
    "Tax": _TAX,
    "Books": _BOOKS,
    "Refunds": _REFUNDS,
    "Dispersals": _DISPERSALS,
    "Bookings and the waitlist": _BOOKINGS,
    "Jobs": _RUNNING,
}
RULES: Final = {
    int(line.partition(" ")[0]): line.partition(" ")[2]
    for lines in RULE_GROUPS.values()
    for line in lines.splitlines()
}

_BOOKED, _LINE = "tests/db/bookings", "tests/jobs/waitlist/test_waitlist.py"
_JOBS, _HOOKS = "tests/jobs/payouts", "tests/jobs/webhooks"
_PROCESS, _GUARDS = f"{_JOBS}/test_process.py", f"{_JOBS}/test_guards.py"
_STATEMENT, _ORGANISATIONS = f"{_JOBS}/test_reconcile_statement.py", f"{_JOBS}/test_org_process.py"
_REQUESTS, _LEDGER = "tests/domain/test_razorpayx.py", "tests/db/test_ledger.py"

_CREATE = "tests/jobs/dispersals/test_create.py"
_HEAL = "tests/jobs/dispersals/test_heal.py"
_POISONED = "tests/jobs/dispersals/test_poisoned.py"

TRAPS: Final[dict[str, tuple[str, ...]]] = {
    "keys and references longer than the provider takes": (
        f"{_REQUESTS}::test_keys_and_references_fit",
        f"{_REQUESTS}::test_a_narration_keeps_what_a_statement_can_print",
    ),
    "a request made anew for its retry, and so another one under the same key": (
        f"{_PROCESS}::test_the_frozen_request_is_replayed_whatever_would_be_made_now",
        "tests/db/payouts/test_withholding.py::test_a_retry_sends_the_identical_body_although_the_rate_has_changed",
    ),
    "a 4xx taken for a refusal although an earlier send may have arrived": (
        f"{_PROCESS}::test_a_send_that_may_be_the_second_is_never_failed_nor_put_back",
    ),
    "a key that was revoked fails every payout of the batch": (
        f"{_PROCESS}::test_a_refusal_of_us_puts_it_back_and_sets_the_brake",
    ),
    "a failed payout retried under its old key, and told of the old failure for ever": (
        "tests/db/payouts/test_decide.py::test_retry_sends_a_failure_under_a_new_key",
    ),
    "a key made by the client, and gone with its process": (
        "tests/workers/gateways/test_stripe.py::test_a_send_is_one_form_under_our_own_key",
        "tests/workers/gateways/test_stripe.py::test_a_send_is_never_tried_again_by_the_client",
    ),
    "a balance read where the provider has none": (
        "tests/conformance/test_bank.py::test_the_balance_is_told_in_minor_units_by_currency",
    ),
    "a UPI payment above what UPI carries": (
        f"{_JOBS}/test_accounts.py::test_a_vpa_is_paid_by_upi_up_to_its_limit_and_not_a_paisa_more",
        "tests/domain/test_payout_modes.py::test_to_a_vpa_upi_alone_leads_and_carries_less_than_a_lakh",
    ),
    "events that come again under one id, all but the first swallowed": (
        "tests/domain/webhooks/test_razorpay.py::test_of_events_that_come_again_none_is_swallowed",
    ),
    "an event id that is not signed": (
        "tests/domain/webhooks/test_razorpay.py::test_the_id_is_made_from_what_is_signed",
    ),
    "a lost reply taken for a failure, its earnings freed and paid again": (
        f"{_PROCESS}::test_an_unknown_outcome_moves_nothing_and_is_to_be_asked_about",
    ),
    "a payout its provider does not know taken for failed, although it was asked with another's keys": (
        f"{_JOBS}/test_check_stuck.py::test_a_payout_its_provider_denies_is_a_finding_at_once_and_no_failure",
    ),
    "paid after it had failed, and nobody looks whether its earnings were paid meanwhile": (
        f"{_HOOKS}/test_late.py::test_where_they_were_paid_elsewhere_the_payee_owes_it",
        f"{_JOBS}/test_taken_over.py::test_what_had_ended_there_and_was_paid_after_all_takes_nothing_that_others_are_owed_by",
    ),
    "completed here while its provider says pending": (
        f"{_JOBS}/test_follow.py::test_each_word_about_a_payout_under_way",
    ),
    "a green run although approved payouts wait and none was sent": (
        f"{_GUARDS}::test_p03_nothing_processed_while_approved_payouts_wait_is_a_failure",
    ),
    "what another worker has claimed counted as one's own": (
        f"{_ORGANISATIONS}::test_what_another_worker_has_claimed_is_not_counted",
    ),
    "failures of organisations counted among those of people": (
        f"{_ORGANISATIONS}::test_p04_an_organisation_that_is_refused_fails_its_own_run_and_nobodys_else",
    ),
    "the identity of a batch made from the time at which it happened to run": (
        f"{_JOBS}/test_batch.py::test_a_late_batch_is_of_the_period_its_tick_lies_in",
        f"{_JOBS}/test_org_batch.py::test_identities_are_those_of_the_tick_and_tell_their_source",
    ),
    "a setting read under one name and required under another": (
        "tests/faults/test_deploys.py::test_p05_without_a_required_setting_nothing_starts_and_nothing_fails",
    ),
    "tax as a float": (
        "tests/domain/test_tax.py::test_amounts_that_no_float_holds_are_taxed_to_the_paisa",
    ),
    "tax on the payee's share instead of the sale": (
        "tests/domain/test_tax.py::test_the_law_looks_at_the_sale_and_the_legacy_engine_at_the_share",
    ),
    "a failed event that a second delivery does not bring back": (
        f"{_HOOKS}/test_failing.py::test_one_that_failed_and_is_delivered_again_is_tried_again",
        f"{_HOOKS}/test_failing.py::test_it_is_put_off_again_and_again_then_fails_and_may_be_replayed",
    ),
    "an event that is being processed for ever": (
        f"{_HOOKS}/test_failing.py::test_a_death_between_claim_and_commit_leaves_the_event_to_the_next",
    ),
    "a lease that whoever lost it still settles by": (
        "tests/db/test_work.py::test_a_stale_token_settles_renews_and_releases_nothing",
    ),
    "a balance kept from falling below zero by cutting it off": (
        f"{_LEDGER}::test_a_bounded_account_is_never_below_zero",
    ),
    "books written beside the change, their errors swallowed": (
        f"{_LEDGER}::test_the_row_and_its_books_commit_together_or_not_at_all",
    ),
    "the bank's charge booked as part of the payment": (
        f"{_STATEMENT}::test_charges_of_the_bank_and_money_put_in_are_classes_of_their_own",
    ),
    "amounts rounded in silence": (
        "tests/domain/test_money.py::test_more_digits_than_the_currency_has_are_refused_even_where_they_are_zero",
    ),
    "a reconciliation of the newest first, up to a limit, that never comes to old gaps": (
        f"{_STATEMENT}::test_pages_of_any_size_make_the_whole",
        f"{_STATEMENT}::test_a_line_that_comes_before_we_heard_is_named_and_matched_later",
    ),
    "a reminder looked for in one hour alone, and lost with the run of that hour": (
        f"{_LINE}::test_a_run_that_was_missed_is_caught_up",
    ),
    "an offer that ended found by a look at the last minutes, and so made again twice or never": (
        f"{_LINE}::test_l01_an_offer_that_ends_is_made_once_more_to_whoever_is_next",
        "tests/crash/test_crash.py::test_a_death_anywhere_changes_nothing",
    ),
    "an expiry that does not look whether the place was taken meanwhile": (
        f"{_LINE}::test_what_was_taken_in_time_does_not_expire",
        f"{_LINE}::test_r04_an_offers_end_and_its_acceptance_at_once_are_one_of_both",
    ),
    "a participant with several places taken out, and one place offered": (
        f"{_LINE}::test_n_places_that_were_removed_at_once_are_n_offers",
        f"{_BOOKED}/test_moving.py::test_who_is_taken_out_frees_every_place_they_held_in_one_transaction",
    ),
    "a try around what sends mail, so that a lost connection sends it twice": (
        f"{_LINE}::test_l03_a_connection_lost_for_a_moment_costs_a_retry_and_no_mail",
    ),
    "a run that finds another at work taken for a failure": (
        f"{_LINE}::test_l02_a_second_run_beside_the_first_ends_cleanly",
    ),
    "what the gateway is to forget remembered beside the transaction, and stale once that is tried again": (
        f"{_BOOKED}/test_cancel.py::test_what_is_tried_again_after_a_conflict_leaves_nothing_of_the_first_try",
    ),
    "a write conflict told to whoever books as an error of the server": (
        "tests/workers/web/test_cancelling.py::test_retries_that_were_used_up_are_a_conflict",
    ),
    "a door for timers that is open because no secret was set": (
        "tests/workers/web/test_runs.py::test_where_no_application_is_the_door_is_closed",
    ),
    "an obligation's own amount divided although nothing came in, or today taken for the day it was settled": (
        f"{_CREATE}::test_settled_without_cash_is_a_finding_and_the_amount_is_never_assumed",
        f"{_CREATE}::test_settled_without_a_date_is_a_finding_and_today_is_never_assumed",
        "tests/domain/test_dispersals.py::test_nothing_received_and_no_date_are_said_and_never_made_up",
    ),
    "what the fee took whole taken for an orphan, for ever": (
        f"{_CREATE}::test_what_the_fee_takes_whole_is_dispersed_without_a_share",
        f"{_HEAL}::test_what_the_fee_took_whole_is_never_tried_again",
    ),
    "a dispersal that was begun topped up in silence": (
        f"{_CREATE}::test_a_dispersal_that_is_not_whole_is_an_error_and_never_topped_up",
    ),
    "what was divided between the look and the try escalated all the same": (
        f"{_HEAL}::test_what_was_divided_between_the_look_and_the_try_is_not_escalated",
    ),
    "what a receipt paid credited to the receivable once more, as it is escalated": (
        f"{_HEAL}::test_what_is_set_apart_is_what_it_received_out_of_its_mortgages_cash",
        f"{_POISONED}::test_what_another_system_escalated_is_taken_over_as_it_was_posted",
    ),
    "an escalation that breaks at each run, and all that come after it": (
        f"{_POISONED}::test_one_that_can_not_even_be_set_apart_stops_nobody",
        f"{_POISONED}::test_an_account_that_is_missing_is_opened",
    ),
    "a try counted that never was, because its run was late": (
        f"{_POISONED}::test_a_run_that_did_not_come_to_it_counts_no_failure",
    ),
    "an attempt that nobody resolves after it came right": (
        f"{_HEAL}::test_what_is_put_right_is_divided_by_itself_and_nothing_is_reported_any_more",
    ),
    "only the first page of what failed ever looked at": (
        f"{_POISONED}::test_a_page_of_any_size_is_gone_through",
    ),
    "an amount read as a float as it is escalated": (
        f"{_POISONED}::test_amounts_that_no_float_holds_are_set_apart_to_the_unit",
    ),
    "money escalated that never came in": (
        f"{_POISONED}::test_what_received_nothing_is_never_set_apart_and_divided_once_money_comes_in",
    ),
    "the check of balances switched off for reversals": (
        "tests/db/test_causes.py::test_no_reversal_takes_a_bounded_account_below_zero",
    ),
    "an item of suspense resolved by opening it once more": (
        "tests/db/test_causes.py::test_what_leaves_suspense_names_what_opened_it_and_is_never_more_than_is_open",
        "tests/db/obligations/test_suspense.py::test_suspense_falls_by_what_leaves_it_whichever_way_it_goes",
    ),
}
"""What is easily done wrong, and the tests that show it is not done so here."""
