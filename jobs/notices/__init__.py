"""Jobs that tell applications what happened."""
