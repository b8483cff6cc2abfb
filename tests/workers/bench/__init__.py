"""The benchmarks themselves, small: they run through, and a run that went wrong is noticed."""
