"""Webhooks are believed for their signature over the raw bytes, and for nothing else."""
