"""The system's own housekeeping: watched, audited, pruned."""
