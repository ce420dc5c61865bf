"""Template tags that know no project."""
