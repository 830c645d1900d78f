"""What an outside says back is kept nowhere: not in the events, the dead letter, or the history."""

import pytest

from tests.workflows.conftest import Story
from vtid.domain.errors import Denied, OutsideError, Unavailable

SECRET = "q1w2e3r4t5y6u7i8"
QUOTED = f"HTTPSConnectionPool: Max retries exceeded with url: /log.txt?sv=1&sig={SECRET}&se=2"


def quoting(error: OutsideError) -> OutsideError:
    """The error, caused by a library's own that quotes an address that lets in whoever has it."""
    error.__cause__ = ConnectionError(QUOTED)
    return error


@pytest.mark.parametrize("error", [Denied("CLOUD_RUN", "no"), Unavailable("CLOUD_RUN", "away")])
async def test_a_run_that_blocks_keeps_why_without_the_secret_in_it(
    story: Story, error: OutsideError
) -> None:
    story.cloud_run.error = quoting(error)

    await story.start()
    await story.work_honestly()
    await story.until(lambda: story.ledger.view().failure)

    failure = story.ledger.view().failure
    assert failure is not None
    assert "sig=[masked]" in str(failure)
    history = await story.run.fetch_history()
    kept = "".join(str(event) for event in history.events) + repr(vars(story.ledger))
    assert SECRET not in kept
