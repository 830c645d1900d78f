"""After the proof: a sentinel looks for its lifetime, and costs a dozen events."""

import asyncio
import itertools
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle

from tests.workflows.conftest import VTID, Story
from tests.workflows.world import MERGED, OLD, REPOSITORY
from vtid.domain.change import Ancestry
from vtid.domain.deployment import ServiceSeen
from vtid.domain.environment import Environment, Service
from vtid.domain.errors import Denied
from vtid.domain.limits import LIMITS, carried
from vtid.domain.serving import Serving, TellServing, WatchRequest
from workflows.connection import TASK_QUEUE
from workflows.sentinel import MOST_FINDINGS, Sentinel

SHOP = Service("shop", "shop")
NEWER = "e" * 40


async def begin(story: Story, *, minutes: float = 1, every: float = 10) -> WorkflowHandle[Sentinel, str]:
    environment = Environment("dev", "acme", "here", REPOSITORY, services=(SHOP,))
    lifetime, pause = timedelta(minutes=minutes), timedelta(seconds=every)
    short = replace(LIMITS["watch_deployment"], budget=lifetime, back_off=(pause,))
    impatient = replace(LIMITS["tell_serving"], budget=timedelta(minutes=5))
    limits = carried({"watch_deployment": short, "tell_serving": impatient})
    request = WatchRequest(VTID, "run-1", REPOSITORY, environment, (SHOP,), MERGED, limits)
    return await story.env.client.start_workflow(
        Sentinel.run, request, id=uuid.uuid4().hex, task_queue=TASK_QUEUE
    )


async def unheard(command: TellServing) -> None:
    raise ConnectionError("the ledger is away")


def told(story: Story) -> list[Serving]:
    return [command.kind for command in story.ledger.served]


async def test_a_deployment_that_holds_is_looked_at_for_its_lifetime_and_left(story: Story) -> None:
    handle = await begin(story)

    assert await handle.result() == Serving.WATCHED
    assert told(story) == [Serving.WATCHED]
    assert len((await handle.fetch_history()).events) <= 20


async def gone_back_and_come_again(story: Story) -> WorkflowHandle[Sentinel, str]:
    """A sentinel that has seen all of it, and its end."""
    story.github.related = {OLD: Ancestry.ANCESTOR, NEWER: Ancestry.DESCENDANT}
    handle = await begin(story, minutes=60, every=0.2)
    await story.until(lambda: told(story) == [Serving.WATCHED])
    story.cloud_run.serves = OLD
    await story.until(lambda: Serving.REVERTED in told(story))
    story.cloud_run.serves = MERGED
    await story.until(lambda: Serving.RESTORED in told(story))
    story.cloud_run.serves = NEWER
    await handle.result()
    return handle


async def test_going_back_and_coming_again_are_told_and_a_newer_one_ends_it(story: Story) -> None:
    handle = await gone_back_and_come_again(story)

    assert await handle.result() == Serving.SUPERSEDED
    assert told(story) == [Serving.WATCHED, Serving.REVERTED, Serving.RESTORED, Serving.SUPERSEDED]


async def test_what_stays_wrong_until_the_end_does_not_ask_for_a_person_for_ever(story: Story) -> None:
    handle = await begin(story)
    await story.until(lambda: told(story) == [Serving.WATCHED])
    story.cloud_run.serves = OLD

    assert await handle.result() == Serving.REVERTED
    assert told(story) == [Serving.WATCHED, Serving.REVERTED, Serving.UNWATCHED]


async def test_a_deployment_that_may_not_be_seen_any_more_is_told_as_unwatched(story: Story) -> None:
    story.cloud_run.error = Denied("CLOUD_RUN", "no permission")
    handle = await begin(story)

    assert await handle.result() == Serving.UNWATCHED
    assert "no permission" in story.ledger.served[-1].says


async def test_a_sentinel_whose_ledger_stays_away_ends_and_is_not_stuck(story: Story) -> None:
    story.ledger.tell_serving = unheard  # type: ignore[method-assign]
    handle = await begin(story)

    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), 20)

    assert getattr(failed.value.cause, "type", None) == "DISPATCH_FAILED"


async def test_what_changes_again_and_again_is_told_as_unwatched_in_the_end(story: Story) -> None:
    """The last that was told must not stand there as if somebody still looked."""
    looks = itertools.cycle((OLD, MERGED))
    story.github.related = {OLD: Ancestry.ANCESTOR}
    see = story.cloud_run.service

    def flaps(*where: Any) -> ServiceSeen:
        story.cloud_run.serves = next(looks)
        return see(*where)

    story.cloud_run.service = flaps  # type: ignore[method-assign, assignment]
    handle = await begin(story, minutes=600, every=1)

    assert await handle.result() == Serving.UNWATCHED
    assert told(story)[-1] is Serving.UNWATCHED
    assert len(told(story)) == MOST_FINDINGS + 1
