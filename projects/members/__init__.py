"""Members of a project: joining, roles and the leaderboard."""
