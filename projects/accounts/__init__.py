"""Who signs in: OAuth, tokens, sessions, language and the moderators' rights."""
