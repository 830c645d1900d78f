"""GitHub's REST face, version 2026-03-10."""
