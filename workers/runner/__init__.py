"""Runs jobs: claims ahead, calls concurrently, settles behind, renews meanwhile, and stops in order."""
