"""Jobs of dispersals: what borrowers paid, divided among lenders."""
