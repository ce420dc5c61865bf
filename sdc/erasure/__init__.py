"""Deleting projects and accounts: what goes, what stays, and why. See docs/privacy.md.

The public ledger of edits stays, since the edits are public on the wiki: `Edit`, the batches and
attempts that it names, the claims, and the audit log. All else goes.
"""
