"""Questions: the queue, the screens and the pages that ask."""
