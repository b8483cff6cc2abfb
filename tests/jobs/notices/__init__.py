"""The jobs that tell applications."""
