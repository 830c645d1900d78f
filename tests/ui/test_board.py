"""The board: every task in the column of what happens to it next."""

import asyncio
import re
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.api.stage import Play
from tests.ui.browsing import axe, wider_than_the_window
from tests.ui.drawer import drawer
from tests.ui.scenery import blocked
from vtid.domain.serving import Serving, TellServing
from vtid.domain.stages import Stage


async def test_a_run_appears_and_moves_without_a_reload(play: Play, url: str, page: Page) -> None:
    await page.goto(url)
    await page.get_by_text("No tasks yet").wait_for()

    vtid = await play.run()
    await play.tell(vtid, "stage.started", stage=Stage.WORKER)
    await play.wait(vtid, "a worker to pick up the order")

    card = page.locator(".card").filter(has_text=vtid)
    await card.get_by_text("waits for a worker to pick up the order").wait_for()
    stages = card.get_by_role("list", name="Stages").get_by_role("listitem")
    assert await stages.all_text_contents() == [
        "▸ PLANNER: running",
        "▸ WORKER: running",
        "· VALIDATOR: not started",
        "· DEPLOY: not started",
    ]


async def test_a_blocked_run_stands_first_and_says_what_to_do(play: Play, url: str, page: Page) -> None:
    vtid = await play.run()
    failure = {"code": "PICKUP_TIMEOUT", "stage": "WORKER", "message": "no worker took it", "outcome": "timeout",
               "retryable": True, "advice": "start a worker, then retry", "since": "2026-01-02T03:04:05Z",
               "moves": ["retry", "adopt", "abandon"], "causes": []}  # fmt: skip
    await play.tell(vtid, "run.blocked", failure=failure, until=None)

    await page.goto(url)
    await page.get_by_role("link", name=f"Decide {vtid}").click()

    await page.get_by_text("What to do: start a worker, then retry.").wait_for()
    await expect(page.get_by_role("region", name="Decide")).to_be_in_viewport()


async def test_the_inbox_and_its_column_are_told_apart_though_both_hold_one(
    play: Play, url: str, page: Page
) -> None:
    await blocked(play)
    await page.goto(url)
    await page.get_by_role("heading", name="Needs you 1").nth(1).wait_for()

    assert await axe(page) == []


async def test_a_run_that_was_given_up_is_not_called_a_failed_change(
    play: Play, url: str, page: Page
) -> None:
    vtid = await play.run()
    failure: dict[str, Any] = {"code": "ABANDONED", "stage": None, "message": "not worth it", "outcome": "failure",
               "retryable": False, "advice": "", "since": "2026-01-02T03:04:05Z", "moves": [], "causes": []}  # fmt: skip
    await play.tell(vtid, "run.finished", status="rejected", outcome="failure", failure=failure)

    await page.goto(url)

    await page.get_by_role("region", name="Done").get_by_text("given up").wait_for()


async def test_the_filters_stand_in_the_url_and_going_back_takes_them_away(
    play: Play, url: str, page: Page
) -> None:
    wanted, other = await play.task(), await play.task(approved=False)
    await play.call("admin", "PATCH", f"/tasks/{wanted}", json={"title": "Needle", "priority": 1}, headers={"If-Match": "*"})  # fmt: skip
    await page.goto(url)
    await page.get_by_text(other).first.wait_for()

    await page.get_by_label("Search in VTID and title").fill("needle")
    await page.locator(".card").filter(has_text=other).wait_for(state="detached")
    await page.get_by_label("Order").select_option("priority")
    assert "q=needle" in page.url
    assert "sort=priority" in page.url
    await page.locator(".card").filter(has_text=wanted).get_by_role("link").click()
    await drawer(page).get_by_role("heading", name="Needle").wait_for()
    assert page.url.endswith(f"/tasks/{wanted}?q=needle&sort=priority")

    await page.go_back()
    await drawer(page).wait_for(state="detached")
    await page.get_by_role("button", name="Clear").click()
    await page.locator(".card").filter(has_text=other).wait_for()


async def test_a_search_shows_what_is_at_hand_and_counts_nothing_until_the_server_answers(
    play: Play, url: str, page: Page
) -> None:
    wanted, other = await play.task(approved=False), await play.task(approved=False)
    await play.call("admin", "PATCH", f"/tasks/{wanted}", json={"title": "Needle"}, headers={"If-Match": "*"})
    may_answer = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_answer.wait()
        await route.continue_()

    await page.route(re.compile(r"/board\?.*q="), hold)
    await page.goto(url)
    await page.get_by_text(other).first.wait_for()
    await page.get_by_label("Search in VTID and title").fill("needle")

    await page.locator(".card").filter(has_text=other).wait_for(state="detached")
    scheduled, done = (page.get_by_role("region", name=name) for name in ("Scheduled", "Done"))
    assert await scheduled.locator(".card h3").all_text_contents() == ["Needle"]
    assert await scheduled.locator(".count").text_content() == "…"
    await done.get_by_text("Searching …").wait_for()

    may_answer.set()
    await expect(scheduled.locator(".count")).to_have_text("1")
    await done.get_by_text("Nothing has ended yet.").wait_for()


async def test_nothing_moves_when_the_board_is_read_again(play: Play, url: str, page: Page) -> None:
    vtid = await play.task()
    await page.goto(f"{url}/tasks/{vtid}")
    columns = page.locator(".columns")
    await drawer(page).get_by_role("heading", name="Acceptance Criteria").wait_for()
    await expect(page.get_by_role("status", name="Reading")).to_have_count(0)
    before = await columns.bounding_box()
    await page.route("**/api/v1/board?*", lambda route: None)  # is read for as long as we look

    await play.task()
    await page.get_by_role("status", name="Reading").wait_for()

    assert await columns.bounding_box() == before


async def test_a_filter_that_nothing_fits_says_so(play: Play, url: str, page: Page) -> None:
    await play.task()

    await page.goto(f"{url}/?q=nothing-like-that")

    await page.get_by_text("No task fits these filters").wait_for()


async def test_a_long_column_is_shown_page_by_page(play: Play, url: str, page: Page) -> None:
    for _ in range(53):
        await play.task(approved=False)
    await page.goto(url)
    column = page.get_by_role("region", name="Scheduled")
    more = column.get_by_role("button", name=re.compile(r"Show more \(\d+ left\)"))
    shown = column.locator(".card")
    await more.wait_for()
    first_page = await shown.count()
    while await more.count():
        before = await shown.count()
        await more.click()
        await expect(shown).not_to_have_count(before)

    await column.get_by_text("VTID-00001").wait_for()
    assert first_page < 53
    assert await shown.count() == 53


async def test_text_from_outside_cannot_become_markup_and_a_long_word_does_not_stick_out(
    play: Play, url: str, phone: Page
) -> None:
    vtid = await play.run()
    await play.wait(vtid, f"<img src=x onerror=alert(1)>{'x' * 300}")

    for path in (f"/?column=scheduled&q={vtid}", f"/runs/{vtid}", f"/tasks/{vtid}"):
        await phone.goto(url + path)
        await phone.get_by_text("<img src=x onerror=alert(1)>").filter(visible=True).first.wait_for()

        assert await phone.locator("main img").count() == 0
        assert await wider_than_the_window(phone) <= 0, path


async def test_the_api_is_described_for_people(url: str, page: Page) -> None:
    await page.goto(f"{url}/docs")

    await page.get_by_text("/api/v1/work-orders/claim").wait_for()


async def test_a_deployment_that_drifted_after_its_proof_needs_a_person(
    play: Play, url: str, page: Page
) -> None:
    vtid = await play.run()
    for stage in (Stage.WORKER, Stage.VALIDATOR, Stage.DEPLOY):
        await play.tell(vtid, "stage.started", stage=stage)
    await play.tell(vtid, "run.finished", status="completed", outcome="success", failure=None)
    await page.goto(url)
    await page.get_by_role("region", name="Done").get_by_text("proven").wait_for()
    run_id = (await play.get(f"/runs/{vtid}")).json()["run_id"]

    drifted = TellServing(vtid, run_id, 1, Serving.DRIFTED, "20 % of the traffic goes elsewhere")
    await play.ledger.journal.tell_serving(drifted)

    await page.get_by_role("region", name="Needs you").get_by_text("drifted after it was proven").wait_for()
    await page.get_by_role("region", name="Done").get_by_text("proven, then drifted").wait_for()
    await page.get_by_role("link", name=f"Look at {vtid}").click()
    await page.get_by_text("20 % of the traffic goes elsewhere").first.wait_for()
    await page.get_by_role("heading", name="proven, then drifted").wait_for()
