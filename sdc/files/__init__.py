"""Reading files of Commons and their statements."""
