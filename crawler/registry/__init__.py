"""Engines and their versions: which project uses which."""
