"""The cash of obligations held against the books: what a daily reconciliation looks at."""
