"""Pictures of figures, as SVG."""
