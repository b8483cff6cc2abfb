"""The storm: the whole system on servers of its own, under faults of every kind, then held to account."""
