"""What open pages poll: the pulse and the counts of a project."""
