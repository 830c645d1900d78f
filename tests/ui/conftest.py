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


@pytest.fixture
async def opening(browser: Browser, complaints: Complaints) -> AsyncIterator[Opening]:
    """Opens pages, each in a context of its own (`context=` for a second tab of the same person)."""
    contexts: list[BrowserContext] = []

    async def open_page(
        *, viewport: ViewportSize = DESKTOP, scheme: str = "light", context: BrowserContext | None = None
    ) -> Page:
        if context is None:
            context = await browser.new_context(
                viewport=viewport,
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
                timezone_id="Europe/Berlin",
                locale="en-GB",
            )
            context.set_default_timeout(10_000)
            contexts.append(context)
        page = await context.new_page()
        complaints.watch(page)
        return page

    yield open_page
    for each in contexts:
        await each.close()


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
