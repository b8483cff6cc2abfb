"""The storm's own parts: its links, its plan, its verdict."""
