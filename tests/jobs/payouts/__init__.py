"""The payout jobs by hand."""
