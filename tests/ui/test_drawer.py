"""One task beside the board: read, write, approve, start, without leaving it."""

import asyncio

from playwright.async_api import Page, Route

from tests.api.stage import SPEC, Play
from tests.ui.browsing import Complaints
from tests.ui.conftest import Opening
from tests.ui.drawer import approve, drawer, notice, step

LONGER = SPEC.replace("All.", "All of it, and the invoices.")


async def test_approve_validate_activate_in_one_open_drawer_while_another_tab_edits_the_spec(
    play: Play, url: str, page: Page, opening: Opening
) -> None:
    vtid = await play.task(approved=False)
    await page.goto(f"{url}/tasks/{vtid}")
    await approve(page, 1)
    other = await opening()
    await other.goto(f"{url}/tasks/{vtid}")
    await drawer(other).get_by_role("button", name="Edit", exact=True).click()
    await other.get_by_label("Spec in Markdown").fill(LONGER)
    await drawer(other).get_by_role("button", name="Save as a new version").click()

    await drawer(page).get_by_text("The spec changed while you were reading").wait_for()
    await (
        drawer(page)
        .get_by_text("Version 2 by bootstrap came while you were reading: read it first.")
        .wait_for()
    )
    await drawer(page).get_by_role("button", name="Read version 2").click()
    await drawer(page).get_by_text("All of it, and the invoices.").wait_for()
    await approve(page, 2)
    await step(page, "Validate").click()
    await notice(page, "well-formed").wait_for()
    await step(page, "Activate").click()

    await notice(page, f"The run of {vtid} is started.").wait_for()
    await drawer(page).get_by_role("heading", name="Run").wait_for()
    await drawer(other).get_by_role("heading", name="Run").wait_for()
    assert (await play.get(f"/runs/{vtid}")).json()["status"] == "scheduled"


async def test_nothing_is_approved_before_its_text_is_there(play: Play, url: str, page: Page) -> None:
    """The board's card knows the spec before its text came: a press then would do nothing."""
    vtid = await play.task(approved=False)
    came = asyncio.Event()

    async def late(route: Route) -> None:
        await came.wait()
        await route.continue_()

    await page.route(f"**/api/v1/tasks/{vtid}", late)
    await page.goto(f"{url}/tasks/{vtid}")
    await drawer(page).get_by_text("Its text is not here yet").wait_for()
    assert await step(page, "Approve version 1").get_attribute("aria-disabled") == "true"

    came.set()

    await approve(page, 1)


async def test_a_spec_is_shown_as_markdown_that_can_do_no_harm(
    play: Play, url: str, page: Page, complaints: Complaints
) -> None:
    complaints.allow("Content Security Policy")  # the second wall says that it stood, too
    markdown = (
        "# Goal\n\n<script>window.harmed = 1</script><img src=x onerror='window.harmed = 2'>"
        "<p style='position:fixed'>kept</p>\n\n[link](javascript:window.harmed=3) and **bold**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    vtid = await play.task(markdown, approved=False)

    await page.goto(f"{url}/tasks/{vtid}")

    text = page.locator(".markdown")
    await text.get_by_role("heading", name="Goal").wait_for()
    await text.get_by_role("cell", name="2").wait_for()
    assert await text.locator("script, img, [style], [onerror], a[href^=javascript]").count() == 0
    assert await page.evaluate("window.harmed") is None


async def test_two_versions_are_compared_line_by_line(play: Play, url: str, page: Page) -> None:
    vtid = await play.task(approved=False)
    await play.call("operator", "PUT", f"/tasks/{vtid}/spec", json={"markdown": LONGER})

    await page.goto(f"{url}/tasks/{vtid}?tab=versions")

    lines = page.get_by_role("list", name="Differences").get_by_role("listitem")
    await lines.first.wait_for()
    texts = [text for text in await lines.all_text_contents() if "removed" in text or "added" in text]
    assert ["All." in texts[0], "invoices" in texts[1], len(texts)] == [True, True, 2]


async def test_who_writes_while_somebody_else_saves_loses_nothing(play: Play, url: str, page: Page) -> None:
    vtid = await play.task(approved=False)
    await page.goto(f"{url}/tasks/{vtid}")
    await drawer(page).get_by_role("button", name="Edit", exact=True).click()
    editor = page.get_by_label("Spec in Markdown")
    await editor.fill(f"{SPEC}\nMine.\n")

    await play.call("operator", "PUT", f"/tasks/{vtid}/spec", json={"markdown": LONGER})

    await drawer(page).get_by_text("Version 2 by operator-1 was saved while you were writing.").wait_for()
    assert "Mine." in await editor.input_value()
    await drawer(page).get_by_role("button", name="Put mine on top of theirs").click()
    await drawer(page).get_by_role("button", name="Save as a new version").click()
    await notice(page, "saved as a new version").wait_for()
    assert (await play.get(f"/tasks/{vtid}")).json()["spec"]["version"] == 3


async def test_an_edit_that_lost_the_race_is_told_and_kept(
    play: Play, url: str, page: Page, complaints: Complaints
) -> None:
    complaints.allow("412|ERR_FAILED")
    vtid = await play.task(approved=False)
    await page.route("**/events/stream*", lambda route: route.abort())
    await page.goto(f"{url}/tasks/{vtid}")
    await drawer(page).get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_label("Spec in Markdown").fill(f"{SPEC}\nMine.\n")
    await play.call("operator", "PUT", f"/tasks/{vtid}/spec", json={"markdown": LONGER})

    await drawer(page).get_by_role("button", name="Save as a new version").click()

    await notice(page, "Nothing was done, because").wait_for()
    await drawer(page).get_by_text("was saved while you were writing").wait_for()
    assert "Mine." in await page.get_by_label("Spec in Markdown").input_value()


async def test_a_saved_version_can_be_taken_back(play: Play, url: str, page: Page) -> None:
    vtid = await play.task(approved=False)
    await page.goto(f"{url}/tasks/{vtid}")
    await drawer(page).get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_label("Spec in Markdown").fill(LONGER)
    await drawer(page).get_by_role("button", name="Save as a new version").click()

    await page.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()

    await notice(page, "Taken back.").wait_for()
    assert (await play.get(f"/tasks/{vtid}")).json()["spec"]["markdown"] == SPEC


async def test_what_is_written_survives_a_closed_drawer(play: Play, url: str, page: Page) -> None:
    vtid = await play.task(approved=False)
    await page.goto(f"{url}/tasks/{vtid}")
    await drawer(page).get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_label("Spec in Markdown").fill("# Half a thought")

    await page.get_by_role("button", name="Close the drawer").click()
    await page.get_by_role("link", name="Ship it", exact=True).click()

    assert await page.get_by_label("Spec in Markdown").input_value() == "# Half a thought"


async def test_a_task_is_created_with_its_spec_and_opened(play: Play, url: str, page: Page) -> None:
    await page.goto(url)
    await page.get_by_role("link", name="New task").click()
    await drawer(page).get_by_label("Title").fill("Round prices to cents")
    await drawer(page).get_by_label("Spec in Markdown").fill(SPEC)

    await drawer(page).get_by_role("button", name="Create the task").click()

    await drawer(page).get_by_role("heading", name="Round prices to cents").wait_for()
    await approve(page, 1)


async def test_a_task_that_nobody_knows_is_said_so(page: Page, complaints: Complaints, url: str) -> None:
    complaints.allow("404")

    await page.goto(f"{url}/tasks/VTID-99999")

    await drawer(page).get_by_text("VTID-99999 could not be read").wait_for()
