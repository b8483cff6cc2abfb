"""The bank's own statement held against books and effects: taken over, matched, judged, looked through for gaps."""
