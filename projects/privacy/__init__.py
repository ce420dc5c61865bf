"""The deny-list, admissions, objections and what they pause."""
