"""What Bursar does: one file per job, in a folder per family."""
