"""What the page's tests stand on: a browser, pages that may not complain, the quick stage and the real stack."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from tests.api.conftest import blank, keys, ledger, play, staging, url
from tests.ui.browsing import QUIET, Complaints, need_browser
from tests.ui.door import Door
from tests.ui.ground import Ground

# The API's own stage, without Temporal: quick, and every state of a run is one call away.
__all__ = ["blank", "keys", "ledger", "play", "staging", "url"]

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test's pages are heard until its last line: its server may be gone before they are closed."""
    try:
        return (yield)
    finally:
        heard = getattr(item, "funcargs", {}).get("complaints")
        if isinstance(heard, Complaints):
            heard.is_over = True


Opening = Callable[..., Awaitable[Page]]
Doors = Callable[[str], Awaitable[Door]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    program = need_browser()
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield launched
        await launched.close()


@pytest.fixture
async def complaints() -> AsyncIterator[Complaints]:
    """What the test's pages complain of. A test that provokes a message allows it."""
    heard = Complaints()
    yield heard
    assert heard.left() == []


async def _person(browser: Browser) -> BrowserContext:
    """A browser's profile: cookies, cache and clock of one person."""
    context = await browser.new_context(
        viewport=DESKTOP,
        color_scheme="light",
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )
    # How long anything may take on a machine that is busy with something else; no test is about it.
    context.set_default_timeout(30_000)
    return context


@pytest.fixture(scope="session")
async def somebody(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One person for all tests, which spares each a start of the browser's inner processes.

    Every test has a server on a port of its own, so no storage, cookie (they bear the port) or cached file is
    shared. The first tab stays, since the last one takes its process along.
    """
    context = await _person(browser)
    await context.new_page()
    yield context
    await context.close()


@pytest.fixture
async def opening(
    browser: Browser, somebody: BrowserContext, complaints: Complaints
) -> AsyncIterator[Opening]:
    """Opens tabs of one person; `stranger=True` in a profile of its own, with its own cookies and clock."""
    pages: list[Page] = []
    strangers: list[BrowserContext] = []

    async def open_page(*, viewport: ViewportSize = DESKTOP, stranger: bool = False) -> Page:
        context = somebody
        if stranger:
            strangers.append(context := await _person(browser))
        page = await context.new_page()
        pages.append(page)
        complaints.watch(page)
        if viewport != DESKTOP:
            await page.set_viewport_size(viewport)
        return page

    yield open_page
    for page in pages:
        await page.close()
    for context in strangers:
        await context.close()
    await somebody.clear_cookies()  # a browser sends them to every port


@pytest.fixture
async def page(opening: Opening) -> Page:
    """A page on a desktop that fails the test when it complains."""
    return await opening()


@pytest.fixture
async def phone(opening: Opening) -> Page:
    """The same, 360 pixels wide."""
    return await opening(viewport=PHONE)


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    """Doors in front of a server: `door = await doors(url)`, then `door.url`, `await door.shut()`, `door.stick()`."""
    async with AsyncExitStack() as stack:

        async def put(url: str) -> Door:
            return await stack.enter_async_context(Door(url))

        yield put


@pytest.fixture(scope="session")
async def ground(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """The real stack, once for all tests of the page. Asked for after the browser: without one nothing starts."""
    laid = await Ground.laid(tmp_path_factory.mktemp("ground"))
    async with laid.stack:
        yield laid
