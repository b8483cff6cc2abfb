"""The audit finds what it promises to find, and nothing else."""
