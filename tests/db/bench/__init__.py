"""The database side of the benchmarks: what is recorded, written as a script, and proven."""
