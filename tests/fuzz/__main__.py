"""`python -m tests.fuzz [--cases N] [--seed N]`: fuzz, print the figures and every finding."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.ground import fuzzed


def main() -> int:
    """0 when every answer was one that the document has."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Random requests over the whole API."
    )
    parser.add_argument("--cases", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        found = asyncio.run(fuzzed(Path(directory) / "ledger", cases=chosen.cases, seed_number=chosen.seed))
    said = f"fuzz: seed {chosen.seed}, {found.says()}, {time.monotonic() - began:.0f} s\n"
    sys.stdout.write(said + "".join(f"\n{what}\n{told}\n" for what, told in found.wrong.items()))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
