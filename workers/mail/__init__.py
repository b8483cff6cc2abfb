"""Mail: templates filled with frozen facts, and the server that takes it over."""
