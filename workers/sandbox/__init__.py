"""A bank to practise on: the published RazorpayX payout API, in its own process, with faults."""
