"""The web process, over real HTTP."""
