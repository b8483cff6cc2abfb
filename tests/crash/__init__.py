"""The crash explorer: a process dies at every point of what it does, and a healthy one finds nothing amiss."""
