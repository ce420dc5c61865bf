"""The learner of a project: learns from labels and scores faces."""
