"""The platform: knows no project."""
