"""GitHub, Cloud Run, the deployed services and a coding worker, as far as this project meets them.

Real HTTP on a real port. Nothing here knows the orchestrator: only base URLs tell it from the world.
"""
