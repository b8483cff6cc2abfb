"""The jobs that send mail."""
