"""The whole system under a storm, as a user would run it."""
