"""What is new to this tree: jobs and families added in a copy of it, as the pages say."""
