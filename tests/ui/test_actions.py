"""What a person does: it is confirmed first where it destroys, told how it went, and taken back where it can be."""

import pytest
from playwright.async_api import Page

from tests.api.conftest import Staging, serving
from tests.api.stage import Play
from tests.ui.browsing import Complaints
from tests.ui.conftest import Opening
from tests.ui.drawer import drawer, notice, step
from vtid.domain.commands.messages import CancelRun


async def _sign_in(page: Page, key: str) -> None:
    await page.get_by_label("Your API key").fill(key)
    await page.get_by_role("button", name="Sign in").click()


async def test_the_emergency_stop_needs_a_reason_and_is_seen_by_all(
    play: Play, url: str, page: Page, opening: Opening
) -> None:
    other = await opening(stranger=True)
    await other.goto(url)
    await page.goto(url)
    await page.get_by_role("button", name="Emergency stop").click()
    dialog = page.get_by_role("dialog", name="Stop everything new?")
    stop = dialog.get_by_role("button", name="Stop dispatching")
    assert await stop.get_attribute("aria-disabled") == "true"

    await dialog.get_by_label("Reason").fill("the shop burns")
    await stop.click()

    for tab in (page, other):
        await tab.get_by_role("alert").get_by_text("the shop burns (bootstrap").wait_for()
    assert (await play.get("/system")).json()["armed"] is False
    await page.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()
    await other.get_by_role("button", name="Emergency stop").wait_for()
    assert (await play.get("/system")).json()["armed"] is True


async def test_a_start_under_the_emergency_stop_says_that_it_will_wait(
    play: Play, url: str, page: Page
) -> None:
    vtid = await play.task()
    await play.post("/system/disarm", {"reason": "the shop burns"})

    await page.goto(f"{url}/tasks/{vtid}")

    await drawer(page).get_by_text("a run that is started now waits until it is lifted").wait_for()


async def test_a_run_is_cancelled_only_after_saying_what_that_means(play: Play, url: str, page: Page) -> None:
    vtid = await play.run()
    await page.goto(f"{url}/runs/{vtid}")
    ask = page.get_by_role("button", name="Cancel the run")
    await ask.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("Nothing is merged after this").wait_for()
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="detached")
    assert await ask.evaluate("(button) => button === document.activeElement"), "the focus went astray"

    await ask.click()
    await dialog.get_by_label("Reason").fill("priorities changed")
    await dialog.get_by_role("button", name="Cancel the run").click()

    await notice(page, f"{vtid} is asked to end").wait_for()
    assert play.engine.run_of(vtid).told == [CancelRun("bootstrap", "priorities changed")]


async def test_a_viewer_is_told_why_nothing_can_be_pressed(
    staging: Staging, page: Page, complaints: Complaints
) -> None:
    complaints.allow("401|ERR_")  # the server ends before the page
    play = staging(dev=False)
    vtid = await play.run()
    async with serving(play.app) as url:
        await page.goto(f"{url}/tasks/{vtid}")
        await _sign_in(page, play.keys["viewer"])

        for label, role in (("Validate", "operator"),):
            await step(page, label).wait_for()
            assert await step(page, label).get_attribute("aria-disabled") == "true"
            await drawer(page).get_by_text(f"This needs the role {role}; you are viewer.").first.wait_for()
        await page.get_by_role("button", name="Emergency stop").click()
        await (
            page.get_by_role("dialog").get_by_text("This needs the role approver; you are viewer.").wait_for()
        )


async def test_what_the_server_forbids_is_said_in_words(
    staging: Staging, page: Page, complaints: Complaints
) -> None:
    """The page's own idea of who may what can be old; the server's answer counts."""
    complaints.allow("401|403|ERR_")
    play = staging(dev=False)
    vtid = await play.task(approved=False)
    async with serving(play.app) as url:
        await page.route("**/api/v1/session", lambda route: route.fulfill(json={"name": "x", "role": "admin"}) if route.request.method == "GET" else route.continue_())  # fmt: skip
        await page.goto(f"{url}/tasks/{vtid}")
        await _sign_in(page, play.keys["viewer"])
        await step(page, "Validate").wait_for()  # signed in: a reload before the answer would lose the cookie
        await page.reload()

        await step(page, "Validate").click()

        await notice(page, "Not allowed: this needs the role operator").wait_for()


async def test_who_wrote_a_spec_is_told_why_policy_lets_somebody_else_approve_it(
    url: str, page: Page
) -> None:
    await page.goto(url)
    vtid = await page.evaluate(
        """async () => {
          const body = JSON.stringify({title: 'Ship it', repository: 'acme/shop', environment: 'production', spec: '# Goal'});
          const headers = {'Content-Type': 'application/json'};
          return (await (await fetch('/api/v1/tasks', {method: 'POST', headers, body})).json()).vtid;
        }"""
    )

    await page.goto(f"{url}/tasks/{vtid}")

    await drawer(page).get_by_text("In production the author of a spec may not approve it.").wait_for()
    assert await step(page, "Approve version 1").get_attribute("aria-disabled") == "true"


@pytest.mark.parametrize(("role", "may"), [("viewer", ()), ("operator", ("validate", "activate")), ("approver", ("validate", "activate", "approve", "disarm"))])  # fmt: skip
async def test_the_roles_that_the_page_names_are_those_of_the_server(
    play: Play, role: str, may: tuple[str, ...]
) -> None:
    vtid = await play.task(approved=False)
    hash = (await play.get(f"/tasks/{vtid}")).json()["spec"]["hash"]
    calls = {
        "validate": (f"/tasks/{vtid}/spec/validate", None),
        "approve": (f"/tasks/{vtid}/spec/approve", {"hash": hash}),
        "activate": ("/runs", {"vtid": vtid}),
        "disarm": ("/system/disarm", {"reason": "a drill"}),
    }

    allowed = {verb for verb, (path, body) in calls.items() if (await play.post(path, body, role=role)).status_code != 403}  # fmt: skip

    assert allowed == set(may)


async def test_signing_out_ends_the_view_and_the_session(
    staging: Staging, page: Page, complaints: Complaints
) -> None:
    complaints.allow("401|ERR_")  # the server ends before the page
    play = staging(dev=False)
    async with serving(play.app) as url:
        await page.goto(url)
        await _sign_in(page, play.keys["viewer"])
        await page.get_by_text("No tasks yet").wait_for()

        await page.locator(".who summary").click()
        await page.get_by_role("button", name="Sign out").click()

        await page.get_by_label("Your API key").wait_for()
        assert await page.evaluate("fetch('/api/v1/session').then((answer) => answer.status)") == 401


async def test_a_change_of_title_can_be_taken_back(play: Play, url: str, page: Page) -> None:
    vtid = await play.task()
    await page.goto(f"{url}/tasks/{vtid}")
    await drawer(page).get_by_role("button", name="Edit title and priority").click()
    await drawer(page).get_by_label("Title").fill("Ship it well")
    await drawer(page).get_by_role("button", name="Save", exact=True).click()
    await drawer(page).get_by_role("heading", name="Ship it well").wait_for()

    await page.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()

    await drawer(page).get_by_role("heading", name="Ship it", exact=True).wait_for()
