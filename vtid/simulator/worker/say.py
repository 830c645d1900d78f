"""One JSON line for each thing that the worker does, for whoever runs it."""

import json
import sys
from typing import Any


def say(event: str, **facts: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    # At once, because some behaviours end without a goodbye.
    sys.stdout.flush()
