"""The admin site of moderators."""
