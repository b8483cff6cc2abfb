"""Papers for people outside: one layout for all, written as a table, CSV, HTML or JSON."""
