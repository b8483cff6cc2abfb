"""What runs Bursar: settings, broker, actors, sweep, supervisor, gateways, faces."""
