"""What providers tell us by themselves."""
