"""Lists the photos of a project's sources."""
