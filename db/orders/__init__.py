"""The gateway's side of payments: orders that are made there, forgotten there, and what was captured of them."""
