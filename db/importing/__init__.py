"""What imports of every kind share: all or nothing, each external id once, a set at a time."""
