"""Everything that is learned: the execution read model and numbers."""
