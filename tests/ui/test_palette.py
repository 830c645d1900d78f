"""Everything from the keyboard: the palette, the list of shortcuts, and a spec approved without a mouse."""

from playwright.async_api import Page, expect

from tests.api.stage import Play
from tests.ui.drawer import drawer


async def is_gone(page: Page) -> None:
    """A dialog that is closed is hidden first and has no role any more; the keyboard is free once it is not there."""
    await page.locator("dialog").wait_for(state="detached")


async def test_the_palette_finds_a_task_by_its_words_and_opens_it(play: Play, url: str, page: Page) -> None:
    body = {"title": "Round prices to cents", "repository": "acme/shop", "environment": "dev"}
    vtid = (await play.post("/tasks", body)).json()["vtid"]
    await play.task()
    await page.goto(url)
    await page.locator(".card").first.wait_for()

    await page.keyboard.press("/")
    await page.get_by_role("combobox", name="Search tasks").wait_for()
    await page.keyboard.type("round pr")
    await page.get_by_role("option", name=vtid).wait_for()
    await page.keyboard.press("Enter")

    await page.wait_for_url(f"**/tasks/{vtid}*")
    assert await page.get_by_role("combobox", name="Search tasks").count() == 0


async def test_the_palette_goes_anywhere(url: str, page: Page) -> None:
    await page.goto(url)
    await page.get_by_role("heading", name="Board").wait_for()

    palette = page.get_by_role("combobox", name="Search tasks")
    for pressed in ("/", "Control+k"):
        await page.keyboard.press(pressed)
        await palette.wait_for()
        await page.keyboard.press("Escape")
        await is_gone(page)
    await page.keyboard.press("Meta+k")
    await palette.wait_for()
    await page.keyboard.type("statis")
    await page.get_by_role("option", name="Go to Statistics").wait_for()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")

    await page.get_by_role("heading", name="Statistics", exact=True).wait_for()


async def test_escape_closes_the_palette_and_gives_the_focus_back(url: str, page: Page) -> None:
    await page.goto(url)
    button = page.get_by_role("button", name="Search")
    await button.focus()

    await page.keyboard.press("Enter")
    await page.get_by_role("combobox", name="Search tasks").wait_for()
    await page.keyboard.press("Escape")

    await is_gone(page)
    await expect(button).to_be_focused()


async def test_a_question_mark_lists_what_the_keyboard_can_do(url: str, page: Page) -> None:
    await page.goto(url)
    await page.get_by_role("heading", name="Board").wait_for()

    await page.keyboard.press("?")

    listed = page.get_by_role("dialog", name="Keyboard shortcuts")
    await listed.get_by_text("search and commands").first.wait_for()
    assert await listed.get_by_text("new task").count() == 1


async def test_a_letter_that_is_written_is_no_shortcut(url: str, page: Page) -> None:
    await page.goto(url)
    search = page.get_by_role("searchbox").first
    await search.wait_for()

    await search.press_sequentially("n?/")

    assert await search.input_value() == "n?/"
    assert await page.locator("dialog[open]").count() == 0


async def test_a_spec_is_approved_from_the_board_without_a_mouse(play: Play, url: str, page: Page) -> None:
    vtid = await play.task(approved=False)
    await page.goto(url)
    await page.locator(".card").first.wait_for()

    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/tasks/{vtid}*")
    button = page.get_by_role("button", name="Approve")
    await expect(button).to_be_enabled()
    for _ in range(40):
        if await button.evaluate("(each) => each === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await drawer(page).get_by_text("Version 1 is approved already.").wait_for()
    assert (await play.get(f"/tasks/{vtid}")).json()["spec"]["state"] == "approved"
