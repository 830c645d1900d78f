"""For every test: properties are judged by what holds, not by the clock; the process ends for good once all is told."""

import os
import sys

import pytest
from hypothesis import settings

# A machine that is busy with something else must not fail a property.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

_status = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_status] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    # Temporal's SDK may abort in the interpreter's own shutdown after all tests passed (its issue 300).
    status = config.stash.get(_status, None)
    if status is not None and "temporalio" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
