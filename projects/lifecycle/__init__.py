"""States and settings of a project."""
