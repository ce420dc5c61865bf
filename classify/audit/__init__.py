"""Second looks at what was inferred, and the precision they show."""
