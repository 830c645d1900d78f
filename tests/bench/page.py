"""The page in a browser: how soon a board of ten thousand tasks is there, and a change of the workflow on it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from playwright.async_api import Browser, Page, async_playwright

from tests.bench.figures import Row, p95
from tests.bench.many import fill
from tests.ui.browsing import CHROMIUM, QUIET
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.hired import Hired
from vtid.cli.scenarios.runner import ENVIRONMENT, ENVIRONMENTS
from vtid.cli.stack import Stack
from vtid.configuration.environments import load_environments
from vtid.ledger.migrate import migrate

TASKS = 10_000
WORKERS = 3
STAGES = ("PLANNER", "WORKER", "VALIDATOR", "DEPLOY")

# Writes down when the dots of a card were painted anew: after the frame that shows them.
WATCH = """() => {
  window.painted = [];
  const look = () => requestAnimationFrame(() => setTimeout(() => {
    const at = Date.now();
    for (const card of document.querySelectorAll(".card")) {
      const dots = [...card.querySelectorAll(".dots i")].map((each) => each.textContent).join("");
      const vtid = card.querySelector(".vtid").textContent;
      const last = window.painted.findLast((each) => each.vtid === vtid);
      if (dots && last?.dots !== dots) window.painted.push({ vtid, dots, at });
    }
  }));
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
# Nobody types into a board before having seen it; what it still reads meanwhile is another figure.
LOOKED_AT_MS = 1000
# Types a word into the search, and waits for the frame after which every card shown has it.
FILTER = """(word) => new Promise((done) => {
  const field = document.querySelector("#search");
  const titles = () => [...document.querySelectorAll(".card h3")].map((each) => each.textContent);
  const began = performance.now();
  const look = () => {
    const shown = titles();
    if (shown.length > 0 && shown.every((each) => each.includes(word))) requestAnimationFrame(() => done(performance.now() - began));
    else requestAnimationFrame(look);
  };
  field.value = word;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  look();
})"""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    loads: int
    changes: int


async def measure(data_dir: Path, size: Size) -> list[Row]:
    """All rows of this part; none, in one line, where there is no browser."""
    if CHROMIUM is None:
        return [Row("the page", None, note="not measured: no chromium here")]
    url = f"sqlite+aiosqlite:///{data_dir / 'ledger.db'}"
    await asyncio.to_thread(migrate, url)
    await fill(url, TASKS)
    env = {"VTID_ENVIRONMENTS": str(ENVIRONMENTS), "VTID_DATABASE_URL": url}
    async with Stack(data_dir, simulate=True, port=0, env=env) as stack, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            rows = await _measure_board(browser, stack, size.loads)
            rows += await _measure_changes(browser, stack, size.changes)
        finally:
            await browser.close()
    return rows


async def _measure_board(browser: Browser, stack: Stack, loads: int) -> list[Row]:
    """Each load in a context of its own: nothing is in the browser's cache."""
    painted, usable, filtered, asked = [], [], [], []
    for n in range(loads):
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        await page.goto(stack.api, wait_until="commit")
        ready = await page.wait_for_function("() => document.querySelector('.card') && performance.now()")
        usable.append(await ready.json_value())
        painted.append(
            await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        )
        await page.wait_for_timeout(LOOKED_AT_MS)
        for word in (f"number {1000 + n}", f"number {99 - n}"):
            filtered.append(await page.evaluate(FILTER, word))
            asked.append(await _asked(stack, word))
        await context.close()
    note = f"{TASKS:,} tasks"
    return [
        Row("page: first paint of the board, p50", median(painted), None, "ms", "< 1,000", note=note),
        Row("page: cards there and usable, p50", median(usable), None, "ms", "< 1,000", note=note),
        Row("page: a word in the search to its cards, p50", median(filtered), median(asked), "ms", "< 100",
            median(filtered) / median(asked), note="beside GET /board alone"),
    ]  # fmt: skip


async def _asked(stack: Stack, word: str) -> float:
    """Milliseconds that the API alone needs for the same question."""
    headers = {"Authorization": f"Bearer {stack.token}"}
    async with httpx.AsyncClient(base_url=stack.api, headers=headers) as client:
        await client.get("/api/v1/system")  # the connection is there before, as in the browser
        answer = await client.get("/api/v1/board", params={"q": word, "limit": 50})
    return answer.elapsed.total_seconds() * 1000


async def _measure_changes(browser: Browser, stack: Stack, changes: int) -> list[Row]:
    """Runs go on while a board is open; every stage that begins is a change that must be seen."""
    page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
    await page.goto(stack.api)
    await page.locator(".card").first.wait_for()
    await page.evaluate(WATCH)
    workers = [await Hired.start(stack, f"bench-worker-{n}", news=lambda: None) for n in range(WORKERS)]
    runs = -(-changes // len(STAGES))
    gate = asyncio.Semaphore(WORKERS)
    try:
        events = await asyncio.gather(*(_one_run(stack, f"bench-page-{n}", gate) for n in range(runs)))
    finally:
        for worker in workers:
            await worker.dismiss()
    seen = await _ages(page, [each for told in events for each in told])
    note = f"{len(seen)} changes, from the event's own time"
    return [
        Row("page: change of the workflow to screen, p50", median(seen), None, "ms", "", note=note),
        Row("page: change of the workflow to screen, p95", p95(seen), None, "ms", "< 1,000", note=note),
    ]


async def _one_run(stack: Stack, name: str, gate: asyncio.Semaphore) -> list[dict[str, Any]]:
    """The events of a green run that tell that a stage began."""
    environment = load_environments(ENVIRONMENTS)[ENVIRONMENT]
    async with gate, Drill(stack, environment, name) as drill:
        await drill.start()
        await drill.until_over()
        return [each for each in drill.events if each["type"] == "stage.started"]


async def _ages(page: Page, events: list[dict[str, Any]]) -> list[float]:
    """How old each change was when it was painted. Fails when one was never seen."""
    painted: list[dict[str, Any]] = await page.evaluate("window.painted")
    ages = []
    for event in events:
        place = STAGES.index(event["stage"])
        # A stage that began and ended between two frames is seen as passed.
        shown = [
            each["at"] for each in painted if each["vtid"] == event["vtid"] and each["dots"][place] != "·"
        ]
        assert shown, f"{event['vtid']} {event['stage']} was never on the screen"
        ages.append(min(shown) - datetime.fromisoformat(event["at"]).timestamp() * 1000)
    return ages
