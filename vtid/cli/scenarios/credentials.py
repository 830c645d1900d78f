"""What a stack of scenarios shows to the simulated GitHub, which takes anything."""

import secrets

# Of no known shape, so that only who knows the value can mask it.
GITHUB_TOKEN = f"simulated.{secrets.token_hex(12)}"
