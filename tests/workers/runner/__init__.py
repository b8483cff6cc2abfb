"""The runner on real Postgres, with a bank that is faked at its port."""
