"""Jobs that give money back."""
