"""Measures the product on the machine at hand: its own job, runner and tables, on servers of its own."""
