"""Dead letters, statistics, workers and the tables: what they say is what the server knows."""

from playwright.async_api import Page, expect

from tests.api.stage import Play
from tests.ui.scenery import blocked, completed
from vtid.domain.failures import FAILURES
from vtid.domain.limits import LIMITS
from vtid.domain.rules import RULES
from vtid.domain.stages import Stage


async def test_a_dead_letter_says_why_what_it_did_and_what_each_move_would_do(
    play: Play, url: str, page: Page
) -> None:
    vtid = await blocked(play)

    await page.goto(f"{url}/dead-letters/{vtid}")

    letter = page.get_by_role("article")
    await letter.get_by_text("pickup timeout").first.wait_for()
    await letter.get_by_text("offer 3 of 3 was not claimed").wait_for()
    await letter.get_by_text("Nothing outside this system").wait_for()
    await letter.get_by_text("what it would do").first.click()
    await letter.get_by_text("stage WORKER begins again with a fresh budget").wait_for()


async def test_a_very_long_message_is_folded_and_leaves_the_moves_in_sight(
    play: Play, url: str, page: Page
) -> None:
    message = f"the worker said: {'Traceback (most recent call last) ' * 60}and that was the end"
    vtid = await blocked(play, "WORKER_FAILED", message=message)

    for path in (f"/runs/{vtid}", f"/dead-letters/{vtid}"):
        await page.goto(url + path)
        await expect(page.get_by_role("button", name="Retry the stage")).to_be_in_viewport()
        await page.get_by_text("The whole message").click()
        await page.get_by_text("and that was the end").first.wait_for()


async def test_a_run_that_blocks_or_goes_on_comes_and_goes_by_itself(
    play: Play, url: str, page: Page
) -> None:
    await page.goto(f"{url}/dead-letters")
    await page.get_by_text("Nothing is blocked").wait_for()

    vtid = await blocked(play)
    await page.get_by_role("article").get_by_role("heading", name=vtid).wait_for()
    await play.tell(vtid, "run.resumed", stage=Stage.WORKER, move="retry", by="ann")

    await page.get_by_text("Nothing is blocked").wait_for()


async def test_many_of_one_code_are_decided_at_once_after_a_dry_run_that_names_each(
    play: Play, url: str, page: Page
) -> None:
    vtids = [await blocked(play) for _ in range(3)]
    await page.goto(f"{url}/dead-letters")

    await page.get_by_role("button", name="Retry all").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("would do").nth(2).wait_for()
    assert [play.engine.run_of(vtid).told for vtid in vtids] == [[], [], []]
    await dialog.get_by_role("button", name="Retry (3)").click()

    await dialog.get_by_text("What was done").wait_for()
    assert all(play.engine.run_of(vtid).told for vtid in vtids)


async def test_giving_many_up_needs_a_reason(play: Play, url: str, page: Page) -> None:
    for _ in range(2):
        await blocked(play)
    await page.goto(f"{url}/dead-letters")

    await page.get_by_role("button", name="Abandon all").click()

    await page.get_by_text("Say why: it stands in every run's events.").wait_for()


async def test_a_filter_stands_in_the_address_and_comes_back_with_it(
    play: Play, url: str, page: Page
) -> None:
    await blocked(play)
    other = await blocked(play, "WORKER_LOST")
    await page.goto(f"{url}/dead-letters")
    await page.get_by_role("article").nth(1).wait_for()

    await page.get_by_label("Failure").select_option("WORKER_LOST")
    await page.wait_for_url("**/dead-letters?code=WORKER_LOST")
    await page.reload()

    await page.get_by_role("article").get_by_role("heading", name=other).wait_for()
    assert await page.get_by_role("article").count() == 1


async def test_statistics_draw_what_the_log_says_and_write_it_too(play: Play, url: str, page: Page) -> None:
    for _ in range(3):
        await completed(play)
    await blocked(play)

    await page.goto(f"{url}/statistics")

    await page.get_by_role("img", name="How many runs were proven").wait_for()
    # The same figure twice, told in the same words.
    median = await page.get_by_role("row", name="the whole run").locator("td.num").first.inner_text()
    assert await page.locator("dl.sums dd").all_inner_texts() == ["3", "3 100 %", "4", median]
    assert await page.get_by_role("img", name="the whole run: half within").count() == 1
    assert await page.locator("svg rect.completed title").first.text_content() is not None


async def test_no_word_of_the_statistics_stands_on_its_head_on_a_phone(
    play: Play, url: str, phone: Page
) -> None:
    await completed(play)
    await phone.goto(f"{url}/statistics")

    fault = await phone.get_by_role("cell", name="nobody", exact=True).bounding_box()

    assert fault is not None
    assert fault["width"] > fault["height"]


async def test_statistics_of_nothing_say_so(url: str, page: Page) -> None:
    await page.goto(f"{url}/statistics?days=7")

    await page.get_by_text("No run in this time").wait_for()


async def test_workers_are_shown_with_what_they_hold(play: Play, url: str, page: Page) -> None:
    grant = await play.claimed("busy-one")
    await play.claim("free-one")

    await page.goto(f"{url}/workers")

    await page.get_by_role("row", name="busy-one").get_by_text(grant["vtid"]).wait_for()
    assert "free" in await page.get_by_role("row", name="free-one").inner_text()


async def test_every_limit_code_and_rule_has_its_row_and_its_address(
    play: Play, url: str, page: Page
) -> None:
    await page.goto(f"{url}/limits?environment=staging")
    await page.locator("#pickup").wait_for()
    assert await page.locator("tbody tr").count() == len(LIMITS)

    await page.goto(f"{url}/rules")
    await page.locator(f"#{RULES[0].id}").wait_for()
    assert await page.locator("tbody tr").count() == len(RULES)

    await page.goto(f"{url}/failure-codes#WRONG_COMMIT_SERVING")
    await page.locator("#WRONG_COMMIT_SERVING.named").wait_for()
    assert await page.locator("table.codes tbody tr").count() == len(FAILURES)
    assert await page.evaluate("window.scrollY > 0")


async def test_environments_say_what_a_service_must_have(url: str, page: Page) -> None:
    await page.goto(f"{url}/environments#production")

    production = page.get_by_role("region", name="production")
    await production.get_by_text("DATABASE_PASSWORD").first.wait_for()
    await production.get_by_role("link", name="other than the defaults").wait_for()


async def test_on_paper_a_run_is_its_facts_without_the_controls(play: Play, url: str, page: Page) -> None:
    vtid = await blocked(play)
    await page.goto(f"{url}/runs/{vtid}")
    await page.get_by_role("button", name="Retry the stage").wait_for()

    await page.emulate_media(media="print")

    assert not await page.locator("header.top").is_visible()
    assert await page.locator(".events pre:visible").count() == 0, "the events' JSON fills dozens of sheets"
    assert await page.locator("button:visible:not(.copy)").count() == 0
    assert await page.get_by_text("no worker took the order in 60 s").first.is_visible()
    assert await page.get_by_role("listitem").get_by_text("offer 3 of 3 was not claimed").first.is_visible()
