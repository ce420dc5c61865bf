"""A new project: its person, its sources and what they hold."""
