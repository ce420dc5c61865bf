"""Who may send, how fast, and what holds it back: the wiki's word, first steps, stops."""
