"""What the storm reads of a database it shakes: who holds what, what rarely happened, one payout's history."""
