"""Events of providers in the database: taken by their job, concluded, replayed."""
