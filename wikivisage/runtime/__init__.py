"""Processes: environment, broker, beat and serving."""
