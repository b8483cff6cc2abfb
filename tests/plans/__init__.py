"""How the hot statements are executed where much waits and more is over."""
