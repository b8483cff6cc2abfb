"""A bank to practise on: RazorpayX payouts and Stripe transfers as published, in a process of its own, with faults."""
