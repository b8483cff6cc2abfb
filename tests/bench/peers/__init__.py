"""One file for each peer: its job, how it is enqueued, and how its workers are started."""
