"""The Cloud Run Admin face, version 2."""
