"""Webhooks of the code host: heard once, answered at once, and then looked into. A hint is never a fact."""
