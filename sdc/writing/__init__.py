"""One edit after the other: whose turn it is, what is sent, and what becomes of it."""
