"""Every proven deployment has a sentinel, whatever becomes of the others."""

from api.watches import SEEN_AGAIN, Watches
from tests.workflows.world import MERGED
from vtid.domain.serving import Serving, TellServing, WatchRequest
from vtid.domain.stages import Stage

from .engine import FakeEngine
from .stage import Play


async def proven(play: Play) -> str:
    """A completed run whose service was proven."""
    vtid = await play.run()
    await play.tell(vtid, "run.admitted")
    await play.tell(vtid, "stage.started", stage=Stage.DEPLOY)
    await play.tell(vtid, "change.merged", sha=MERGED)
    link = {"name": "revision", "service": "gateway", "state": "proven", "says": "it serves"}
    await play.tell(vtid, "proof.recorded", complete=True, code=None, links=[link], skipped=[])
    await play.tell(vtid, "run.finished", status="completed", outcome="success", failure=None)
    return vtid


def watches(play: Play) -> Watches:
    return Watches(play.ledger, play.engine, play.services.metrics)


def watched(play: Play) -> list[str]:
    return [request.vtid for request in play.engine.watched]


async def told(play: Play, vtid: str, kind: Serving) -> None:
    run_id = (await play.ledger.runs.current(vtid)).run_id or ""
    await play.ledger.serving.tell(TellServing(vtid, run_id, 1, kind, "so it is"))


async def test_a_deployment_that_cannot_be_watched_hides_no_other(play: Play) -> None:
    first, second = await proven(play), await proven(play)

    class Choosy(FakeEngine):
        async def watch(self, request: WatchRequest) -> None:
            if request.vtid == first:
                raise ValueError("a surprise")
            play.engine.watched.append(request)

    await Watches(play.ledger, Choosy(), play.services.metrics).begin()

    assert watched(play) == [second]


async def test_one_that_is_told_as_watched_is_held_against_temporal_again_and_again(play: Play) -> None:
    """Its sentinel may have failed since, or somebody ended it: then it is begun anew."""
    vtids = [await proven(play) for _ in range(SEEN_AGAIN + 1)]
    for vtid in vtids:
        await told(play, vtid, Serving.WATCHED)
    loop = watches(play)

    await loop.begin()
    assert len(watched(play)) == SEEN_AGAIN
    await loop.begin()
    assert sorted(watched(play)) == sorted(vtids)
    await loop.begin()
    assert len(watched(play)) == 2 * SEEN_AGAIN + 1


async def test_what_came_to_its_end_is_left(play: Play) -> None:
    for kind in (Serving.SUPERSEDED, Serving.UNWATCHED):
        await told(play, await proven(play), kind)

    await watches(play).begin()

    assert watched(play) == []
