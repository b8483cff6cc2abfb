"""What must be proven before a release, and the pages that say by what it is."""
