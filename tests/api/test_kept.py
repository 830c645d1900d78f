"""A run that many watch is read once while nothing changes, and nobody sees an old answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.stage import Play


def stopped_clock(play: Play) -> list[datetime]:
    """The presenter's clock, which goes only when it is moved: now[0]."""
    now = [datetime(2026, 11, 25, 12, tzinfo=UTC)]
    play.services.presenter.now = lambda: now[0]
    return now


async def asked(play: Play, path: str, **kwargs: Any) -> str:
    answer = await play.get(path, **kwargs)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_an_answer_is_made_once_for_all_who_ask_at_the_same_moment(play: Play) -> None:
    vtid = await play.run()
    now = stopped_clock(play)
    for role in ("viewer", "admin"):  # the first use of a key is written down, which changes the ledger
        await asked(play, f"/runs/{vtid}", role=role)
    now[0] += timedelta(seconds=1)
    first = await asked(play, f"/runs/{vtid}")
    now[0] += timedelta(milliseconds=50)

    assert await asked(play, f"/runs/{vtid}", role="admin") == first
    now[0] += timedelta(milliseconds=50)
    assert await asked(play, f"/runs/{vtid}") != first  # the clocks in it go on


async def test_an_event_is_seen_by_the_very_next_answer(play: Play) -> None:
    vtid = await play.run()
    stopped_clock(play)
    before = (await play.get(f"/runs/{vtid}")).json()

    await play.tell(vtid, "work_order.unclaimed")

    assert (await play.get(f"/runs/{vtid}")).json()["position"] > before["position"]


async def test_a_temporal_that_went_away_is_seen_by_the_very_next_answer(play: Play) -> None:
    vtid = await play.run()
    stopped_clock(play)
    assert (await play.get(f"/runs/{vtid}")).json()["engine"] == "ok"

    play.services.presenter.engine_unreachable = True

    assert (await play.get(f"/runs/{vtid}")).json()["engine"] == "unreachable"


async def test_a_kept_answer_is_for_nobody_who_may_not_have_it(play: Play) -> None:
    vtid = await play.run()
    stopped_clock(play)
    await asked(play, f"/runs/{vtid}")

    assert (await play.call(None, "GET", f"/runs/{vtid}")).status_code == 401
    assert (await play.get(f"/runs/{vtid}", role="worker")).status_code == 403


async def test_asking_the_run_itself_is_never_answered_from_what_was_kept(play: Play) -> None:
    vtid = await play.run()
    stopped_clock(play)
    await asked(play, f"/runs/{vtid}")

    assert (await play.get(f"/runs/{vtid}?fresh=true")).json()["fresh"] is True
    assert (await play.get(f"/runs/{vtid}?nonsense=1")).json()["fresh"] is False
