"""The six defects of the old page (F1 to F6 in examples/VTID-01227.md), each made impossible."""

import asyncio
from typing import Any

from playwright.async_api import Page, Request, Route

from tests.api.conftest import Staging, serving
from tests.api.stage import SPEC, Play
from tests.ui.browsing import Complaints
from tests.ui.drawer import approve, drawer, notice, step

# Time limits of requests are a third of the real ones: the page itself knows nothing of it.
HURRIED = "const limit = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = (ms) => limit(ms / 3);"


async def test_f1_a_function_that_is_declared_twice_is_refused_by_the_browser(
    page: Page, complaints: Complaints, url: str
) -> None:
    async def twice(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(
            response=answer,
            body=await answer.text() + "\nasync function perform() {}\n",
            headers=answer.headers,
        )

    await page.route("**/ui/actions.js", twice)
    async with page.expect_event("pageerror") as heard:
        await page.goto(url)
    complaints.allow("perform")

    error = await heard.value

    assert "has already been declared" in str(error)
    assert await page.evaluate("[...document.scripts].every((each) => each.type !== '')"), "a classic script"


async def test_f2_a_button_acts_on_the_state_at_the_click_and_not_on_the_one_that_was_drawn(
    play: Play, url: str, page: Page
) -> None:
    vtid = await play.task(approved=False)
    await page.goto(f"{url}/tasks/{vtid}")
    start = step(page, "Activate")
    await drawer(page).get_by_text("The spec is draft: version 1 must be approved first.").wait_for()
    await start.click(force=True)  # Playwright would wait for it to be enabled; a person would not
    assert (await play.get(f"/runs/{vtid}")).status_code == 404

    await approve(page, 1)
    await start.click()

    await notice(page, f"The run of {vtid} is started.").wait_for()
    assert (await play.get(f"/runs/{vtid}")).status_code == 200


async def test_f2_a_click_on_what_the_page_does_not_know_yet_is_refused_with_what_changed(
    play: Play, url: str, page: Page, complaints: Complaints
) -> None:
    complaints.allow("412|ERR_FAILED")
    vtid = await play.task(approved=False)
    await page.route("**/events/stream*", lambda route: route.abort())
    await page.goto(f"{url}/tasks/{vtid}")
    await drawer(page).get_by_role("heading", name="Acceptance Criteria").wait_for()
    edit = await play.call(
        "operator", "PUT", f"/tasks/{vtid}/spec", json={"markdown": f"{SPEC}\nAnd one thing more.\n"}
    )
    assert edit.status_code == 200

    await step(page, "Approve version 1").click()

    await notice(page, "the spec is now version 2 by operator-1, you had 1").wait_for()
    assert (await play.get(f"/tasks/{vtid}")).json()["spec"]["state"] == "draft"


async def test_f3_who_acts_is_known_in_one_place_and_stands_in_what_was_done(
    staging: Staging, page: Page, complaints: Complaints
) -> None:
    complaints.allow("401|ERR_")  # the server ends before the page
    play = staging(dev=False)
    vtid = await play.task(approved=False)
    async with serving(play.app) as url:
        await page.goto(f"{url}/tasks/{vtid}")
        await page.get_by_label("Your API key").fill(play.keys["approver"])
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_text("approver-1").first.wait_for()

        await approve(page, 1)

        await drawer(page).get_by_text("approved by approver-1").wait_for()
    assert (await play.get(f"/tasks/{vtid}")).json()["spec"]["approved_by"] == "approver-1"


async def test_f4_a_button_whose_request_hangs_comes_back_and_pressing_again_cannot_do_it_twice(
    play: Play, url: str, page: Page
) -> None:
    vtid = await play.task()
    keys: list[str] = []

    async def swallow_the_first(route: Route) -> None:
        keys.append((await route.request.all_headers())["idempotency-key"])
        if len(keys) > 1:
            await route.continue_()

    await page.route("**/api/v1/runs", swallow_the_first)
    await page.add_init_script(HURRIED)
    await page.goto(f"{url}/tasks/{vtid}")
    start = step(page, "Activate")

    await start.click()
    await step(page, "Starting …").wait_for()
    await notice(page, "Nothing was confirmed: the server did not answer within 10 s.").wait_for()
    assert await page.locator("button[aria-busy=true]").count() == 0
    await start.click()

    await notice(page, f"The run of {vtid} is started.").wait_for()
    assert len(set(keys)) == 1, "the second press must be the same call for the server"


async def test_f5_an_old_answer_that_comes_late_changes_nothing(play: Play, url: str, page: Page) -> None:
    vtid = await play.task(approved=False)
    late: asyncio.Future[Route] = asyncio.get_running_loop().create_future()
    told: dict[str, Any] = {}

    async def hold_the_first(route: Route) -> None:
        if late.done():
            await route.continue_()
            return
        told["answer"] = await route.fetch()
        late.set_result(route)

    await page.route(f"**/api/v1/tasks/{vtid}", hold_the_first)
    await page.goto(f"{url}/tasks/{vtid}")
    held = await late  # an answer from before the approval, still on its way
    await play.post(f"/tasks/{vtid}/spec/approve", {"hash": (await told["answer"].json())["spec"]["hash"]})
    approved = drawer(page).get_by_text("Version 1 is approved already.")
    await approved.wait_for()

    async with page.expect_response(f"**/api/v1/tasks/{vtid}"):
        await held.fulfill(response=told["answer"])
    await page.get_by_role("link", name="Versions").click()  # the page lives, and has seen the late answer
    await page.get_by_text("Version 1").first.wait_for()

    assert await approved.is_visible()
    assert await drawer(page).get_by_text("draft", exact=True).count() == 0


async def test_f6_every_request_goes_out_in_the_same_way(play: Play, url: str, page: Page) -> None:
    vtid = await play.task(approved=False)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if "/api/v1/" in request.url else None)
    await page.goto(f"{url}/tasks/{vtid}")

    await step(page, "Validate").click()
    await notice(page, "well-formed").wait_for()
    await approve(page, 1)
    await step(page, "Activate").click()
    await notice(page, f"The run of {vtid} is started.").wait_for()

    calls = [request for request in sent if request.resource_type == "fetch"]
    headers = [await request.all_headers() for request in calls]
    changing = [each for request, each in zip(calls, headers, strict=True) if request.method != "GET"]
    assert len(changing) == 3
    assert all(each["accept"] == "application/json" and "vtid_session_" in each["cookie"] for each in headers)
    assert all("authorization" not in each for each in headers)
    assert len({each["idempotency-key"] for each in changing}) == 3
