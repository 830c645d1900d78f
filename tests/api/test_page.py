"""The page in a browser, under its own security policy."""

import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from vtid.domain.stages import Stage

from .conftest import Staging, serving
from .stage import Play

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip

# Where nobody may install a browser these are skipped, in one clear line; in CI they never are.
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="no chromium here, and `make test` may not install one",
)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        await launched.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page that must not complain."""
    complaints: list[str] = []
    context = await browser.new_context(viewport={"width": 390, "height": 800})
    opened = await context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    await context.close()
    assert complaints == []


async def test_a_run_appears_and_moves_without_a_reload(play: Play, url: str, page: Page) -> None:
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text))
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
    assert console == []


async def test_a_failure_is_shown_with_what_to_do(play: Play, url: str, page: Page) -> None:
    vtid = await play.run()
    failure = {"code": "PICKUP_TIMEOUT", "stage": "WORKER", "message": "no worker took it", "outcome": "timeout",
               "retryable": True, "advice": "start a worker, then retry", "since": "2026-01-02T03:04:05Z",
               "moves": ["retry", "adopt", "abandon"], "causes": []}  # fmt: skip
    await play.tell(vtid, "run.blocked", failure=failure, until=None)

    await page.goto(url)
    await page.get_by_role("link", name=f"Decide {vtid}").click()

    await page.get_by_text("What to do: start a worker, then retry.").wait_for()
    await page.get_by_role("button", name="Retry the stage").wait_for()


async def test_a_run_that_was_given_up_is_not_called_a_failed_change(
    play: Play, url: str, page: Page
) -> None:
    vtid = await play.run()
    failure: dict[str, Any] = {"code": "ABANDONED", "stage": None, "message": "not worth it", "outcome": "failure",
               "retryable": False, "advice": "", "since": "2026-01-02T03:04:05Z", "moves": [], "causes": []}  # fmt: skip
    await play.tell(vtid, "run.finished", status="rejected", outcome="failure", failure=failure)

    await page.goto(f"{url}/tasks/{vtid}")

    await page.get_by_role("complementary").get_by_text("given up").wait_for()


async def test_text_from_outside_cannot_become_markup(play: Play, url: str, page: Page) -> None:
    vtid = await play.run()
    await play.wait(vtid, "<img src=x onerror=alert(1)>")

    await page.goto(f"{url}/runs/{vtid}")

    await page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
    assert await page.locator("main img").count() == 0


async def test_nothing_sticks_out_on_a_phone(play: Play, url: str, page: Page) -> None:
    vtid = await play.run()
    await play.wait(vtid, "x" * 300)
    await page.goto(f"{url}/runs/{vtid}")
    await page.get_by_text("xxx").first.wait_for()

    wider = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    assert wider <= 0


async def test_a_lost_connection_is_told_with_the_age_of_what_is_shown(staging: Staging, page: Page) -> None:
    play = staging()
    async with serving(play.app) as url:
        await play.run()
        await page.goto(url)
        await page.get_by_role("status").get_by_text("Live").wait_for()

    await page.get_by_role("alert").get_by_text("Reconnecting.").wait_for()
    await page.get_by_text("What you see is as of").wait_for()


async def test_elsewhere_the_page_asks_for_a_key(staging: Staging, page: Page) -> None:
    play = staging(dev=False)
    async with serving(play.app) as url:
        await page.goto(url)
        await page.get_by_label("Your API key").fill("wrong")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_text("unknown or revoked").wait_for()
        await page.get_by_label("Your API key").fill(play.keys["viewer"])
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_text("No tasks yet").wait_for()


async def test_the_api_is_described_for_people(url: str, page: Page) -> None:
    await page.goto(f"{url}/docs")

    await page.get_by_text("/api/v1/work-orders/claim").wait_for()
