"""Trust in members: vandalism rules and what they exclude."""
