"""What is shown is what the server knows, and when it cannot be known, that is said."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.api.conftest import Staging, serving
from tests.api.stage import Play
from tests.ui.browsing import Complaints
from tests.ui.conftest import Doors, Opening
from tests.ui.ground import Ground
from vtid.domain.stages import Stage

TWO_SECONDS = 2_000  # a person must know by then


@pytest.mark.e2e
async def test_a_killed_server_is_told_within_two_seconds_and_caught_up_with_after_it(
    ground: Ground, page: Page, complaints: Complaints
) -> None:
    complaints.allow("ERR_|status of 50")
    vtid = await ground.task("Survive a restart")
    await page.goto(f"{ground.url}/tasks/{vtid}")
    await page.get_by_role("status").get_by_text("Live").wait_for()
    await page.locator(".markdown").get_by_role("heading", name="Goal").wait_for()
    await page.evaluate("window.sameDocument = true")

    ground.api.kill()
    await page.get_by_text("Reconnecting", exact=True).wait_for(timeout=TWO_SECONDS)
    await ground.api.serves()
    await ground.call("PATCH", f"/tasks/{vtid}", {"title": "Survived a restart"}, if_match="*")

    await page.locator(".drawer").get_by_role("heading", name="Survived a restart").wait_for()
    await page.get_by_role("status").get_by_text("Live").wait_for()
    assert await page.evaluate("window.sameDocument")


async def test_events_that_happened_while_the_connection_was_lost_are_shown_after_it(
    play: Play, url: str, page: Page, doors: Doors, complaints: Complaints
) -> None:
    complaints.allow("ERR_")
    vtid = await play.run()
    door = await doors(url)
    await page.goto(f"{door.url}/runs/{vtid}")
    await page.get_by_role("status").get_by_text("Live").wait_for()

    await door.shut()
    alert = page.get_by_role("alert").filter(has_text="Reconnecting.")
    await alert.get_by_text("What you see is as of").wait_for()
    await play.tell(vtid, "stage.started", stage=Stage.WORKER)
    await play.wait(vtid, "a worker to pick up the order")
    await door.open()

    await page.get_by_text("Waits for a worker to pick up the order").wait_for()
    await alert.wait_for(state="detached")
    events = page.locator("ol.events > li")
    assert await events.filter(has_text="wait.started").count() == 1, "nothing is lost and nothing doubled"


async def test_a_server_that_hangs_is_noticed_though_no_connection_breaks(
    play: Play, url: str, page: Page, doors: Doors, complaints: Complaints
) -> None:
    complaints.allow("ERR_")
    door = await doors(url)
    await page.goto(door.url)
    await page.get_by_role("status").get_by_text("Live").wait_for()

    door.stick()
    banner = page.get_by_role("alert").filter(has_text="the server has said nothing for 5 s")
    assert "\n" not in await banner.inner_text(), "a sentence that is torn apart cannot be read"
    await play.task()
    await door.open()

    await page.get_by_role("status").get_by_text("Live").wait_for()
    await page.get_by_role("link", name="Ship it", exact=True).wait_for()


async def test_two_tabs_show_the_same(play: Play, url: str, page: Page, opening: Opening) -> None:
    vtid = await play.run()
    other = await opening()
    await page.goto(url)
    await other.goto(f"{url}/runs/{vtid}")
    await page.get_by_role("link", name="Ship it").wait_for()
    await other.get_by_role("heading", name="Ship it").wait_for()

    for stage in (Stage.WORKER, Stage.VALIDATOR, Stage.DEPLOY):
        await play.tell(vtid, "stage.started", stage=stage)
        await play.wait(vtid, f"the next step of {stage}")
        for tab in (page, other):
            await expect(tab.get_by_text(f"the next step of {stage}").first).to_be_visible(timeout=5_000)


async def test_a_card_moves_to_its_column_when_its_run_moves(play: Play, url: str, page: Page) -> None:
    vtid = await play.task()
    await page.goto(url)
    await page.get_by_role("region", name="Scheduled").get_by_text(vtid).wait_for()

    await play.post("/runs", {"vtid": vtid})
    await play.tell(vtid, "run.started", title="Ship it", repository="acme/shop", environment="dev")
    await play.tell(vtid, "run.admitted")

    await page.get_by_role("region", name="In progress").get_by_text(vtid).wait_for()
    assert await page.get_by_role("region", name="Scheduled").get_by_text(vtid).count() == 0


async def test_a_stage_that_moves_is_told_to_who_does_not_see_it(play: Play, url: str, page: Page) -> None:
    vtid = await play.run()
    await page.goto(f"{url}/runs/{vtid}")
    await page.get_by_role("heading", name="Ship it").wait_for()

    await play.tell(vtid, "stage.started", stage=Stage.WORKER)

    await (
        page.locator("#announced[aria-live=polite]")
        .get_by_text(f"{vtid}: WORKER running")
        .wait_for(state="attached")
    )


async def test_an_event_has_an_address_of_its_own(play: Play, url: str, page: Page) -> None:
    vtid = await play.run()
    await play.wait(vtid, "something")
    events = (await play.get(f"/events?vtid={vtid}")).json()["items"]
    waited = next(event for event in events if event["type"] == "wait.started")

    await page.goto(f"{url}/runs/{vtid}#event-{waited['position']}")

    event = page.locator(f"#event-{waited['position']}")
    await expect(event).to_be_in_viewport()
    await expect(event).to_contain_text("for something")


async def test_a_log_of_several_days_says_which_day_an_event_is_of(play: Play, url: str, page: Page) -> None:
    vtid = await play.run()

    async def age_the_first(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        told["items"][0]["at"] = "2026-01-02T23:30:00Z"
        await route.fulfill(response=answer, json=told)

    await page.route(f"**/api/v1/events?vtid={vtid}*", age_the_first)

    await page.goto(f"{url}/runs/{vtid}")

    await page.get_by_text("in the time of Europe/Berlin").wait_for()
    days = page.get_by_role("region", name="Events").get_by_role("heading", level=3)
    assert await days.count() == 2
    assert await days.last.inner_text() == "Saturday, 3 January 2026"


async def test_a_session_that_ended_is_not_taken_for_a_lost_connection(
    staging: Staging, page: Page, doors: Doors, complaints: Complaints
) -> None:
    complaints.allow("401|ERR_")
    play = staging(dev=False)
    async with serving(play.app) as url:
        door = await doors(url)
        await page.goto(door.url)
        await page.get_by_label("Your API key").fill(play.keys["viewer"])
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("status").get_by_text("Live").wait_for()

        await page.context.clear_cookies()
        await door.shut()
        await door.open()

        await page.get_by_label("Your API key").wait_for()


async def test_a_tab_that_nobody_looked_at_catches_up_when_somebody_does(
    play: Play, url: str, opening: Opening
) -> None:
    page = await opening(stranger=True)  # its clock is wound on

    async def look(hidden: str) -> None:
        await page.evaluate(
            f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}})"
        )
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    vtid = await play.run()
    await page.clock.install()
    await page.goto(f"{url}/runs/{vtid}")
    await page.get_by_role("status").get_by_text("Live").wait_for()

    await look("true")
    await page.clock.fast_forward("05:01")
    await page.get_by_role("alert").get_by_text("nobody looked at this tab").wait_for()
    await play.wait(vtid, "something new")
    await page.clock.fast_forward("20:00")
    assert await page.get_by_text("something new").count() == 0
    await look("false")

    await page.get_by_text("Waits for something new").wait_for()
    await page.get_by_role("status").get_by_text("Live").wait_for()
    await page.locator("ol.events > li").filter(has_text="something new").wait_for()


async def test_a_view_that_could_not_be_read_is_read_when_the_server_is_back(
    play: Play, url: str, page: Page, doors: Doors, complaints: Complaints
) -> None:
    complaints.allow("ERR_")
    vtid = await play.run()
    door = await doors(url)
    await page.goto(door.url)
    await page.get_by_role("status").get_by_text("Live").wait_for()
    await page.get_by_role("link", name="Ship it", exact=True).wait_for()

    await door.shut()
    await page.get_by_role("link", name="Ship it", exact=True).click()
    await page.get_by_text("This view could not be opened").wait_for()
    await door.open()

    await page.locator(".drawer").get_by_text(vtid).wait_for()
    await page.locator(".drawer").get_by_role("heading", name="Acceptance Criteria").wait_for()
