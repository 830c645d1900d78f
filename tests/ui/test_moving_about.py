"""Where a reader is: back and forth, the focus, the menus, and how far down they had read."""

from playwright.async_api import Page, expect

from tests.api.stage import Play
from tests.ui.drawer import drawer
from tests.ui.scenery import blocked


async def test_whoever_goes_back_from_a_task_goes_on_at_its_card(play: Play, url: str, page: Page) -> None:
    await play.task()
    vtid = await play.task()
    await page.goto(url)
    card = page.locator(f"[data-vtid={vtid}]")
    await card.click()
    await expect(drawer(page).get_by_role("heading", name="Ship it")).to_be_focused()

    await page.go_back()

    await drawer(page).wait_for(state="detached")
    await expect(card).to_be_focused()
    await page.go_forward()
    await expect(drawer(page).get_by_role("heading", name="Ship it")).to_be_focused()


async def test_whoever_goes_back_to_the_board_finds_it_as_far_down_as_it_was(
    play: Play, url: str, page: Page
) -> None:
    for _ in range(12):
        await play.task()
    await page.goto(url)
    await page.locator(".card").nth(11).wait_for()
    await page.evaluate("scrollTo(0, 600)")
    await page.keyboard.press("g")
    await page.keyboard.press("d")
    await page.get_by_role("heading", name="Dead letters").wait_for()
    assert await page.evaluate("scrollY") == 0

    await page.go_back()

    await page.wait_for_function("() => scrollY === 600")


async def test_a_view_that_had_to_be_read_first_gets_the_focus_when_it_is_there(url: str, page: Page) -> None:
    await page.goto(url)
    await page.get_by_text("No tasks yet").wait_for()

    await page.keyboard.press("g")
    await page.keyboard.press("w")

    await page.get_by_role("heading", name="Workers", exact=True).wait_for()
    await expect(page.get_by_role("main")).to_be_focused()


async def test_a_menu_closes_when_something_else_is_meant(url: str, page: Page) -> None:
    await page.goto(url)
    tables, link = page.locator("nav summary"), page.get_by_role("link", name="Failure codes")
    await tables.click()
    await link.wait_for()

    await page.get_by_text("No tasks yet").click()
    await link.wait_for(state="hidden")
    await tables.click()
    await page.keyboard.press("Escape")

    await link.wait_for(state="hidden")
    await expect(tables).to_be_focused()


async def test_a_question_has_the_focus_where_it_is_answered(play: Play, url: str, page: Page) -> None:
    vtid = await blocked(play)
    await page.goto(f"{url}/runs/{vtid}")

    await page.get_by_role("button", name="Adopt a pull request").click()

    await expect(page.get_by_label("Address of the pull request")).to_be_focused()


async def test_escape_closes_a_menu_and_leaves_the_drawer_open(play: Play, url: str, page: Page) -> None:
    await page.goto(f"{url}/tasks/{await play.task()}")
    await drawer(page).get_by_role("heading", name="Ship it").wait_for()
    await page.locator(".who summary").click()

    await page.keyboard.press("Escape")

    await page.get_by_role("button", name="Sign out").wait_for(state="hidden")
    assert await drawer(page).is_visible()


async def test_whoever_put_a_question_away_whose_run_went_on_is_not_lost(
    play: Play, url: str, page: Page
) -> None:
    vtid = await blocked(play)
    await page.goto(f"{url}/runs/{vtid}")
    await page.get_by_role("button", name="Retry the stage").click()
    await page.get_by_role("dialog").wait_for()
    await play.tell(vtid, "run.finished", status="cancelled", outcome="cancellation", failure=None)
    await page.get_by_role("dialog").get_by_text("Nothing: somebody decided, or the run went on.").wait_for()

    await page.keyboard.press("Escape")

    await expect(page.get_by_role("main")).to_be_focused()
