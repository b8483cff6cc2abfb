"""The waitlist in the database: who joins the line, for whom a place is held, who takes it or lets it go."""
