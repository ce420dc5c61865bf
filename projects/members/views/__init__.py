"""Pages of a project's members."""
