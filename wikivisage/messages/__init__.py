"""Message files: taken out of the code, checked, merged and compiled. For those who work on the
tool and for translators; running it needs nothing of this. See docs/translating.md."""
