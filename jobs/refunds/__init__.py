"""The jobs that give money back."""
