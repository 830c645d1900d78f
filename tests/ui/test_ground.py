"""The ground that the page's tests stand on holds what it promises."""

from playwright.async_api import Page

from tests.ui.browsing import Complaints, axe
from tests.ui.conftest import Doors


async def test_a_page_that_complains_is_heard(page: Page, complaints: Complaints, url: str) -> None:
    await page.goto(f"{url}/healthz")
    await page.evaluate("console.warn('careful')")
    await page.evaluate("setTimeout(() => { throw new Error('broken'); })")
    await page.wait_for_function("() => true")

    heard = complaints.left()

    complaints.allow("careful|broken|favicon")
    assert any("careful" in each for each in heard)
    assert any("broken" in each for each in heard)


async def test_axe_finds_what_a_reader_without_eyes_would_miss(
    page: Page, complaints: Complaints, url: str
) -> None:
    complaints.allow("favicon")
    await page.goto(f"{url}/healthz")
    await page.evaluate("document.body.innerHTML = '<img><button></button>'")

    assert any(each.startswith("image-alt") for each in await axe(page))


async def test_a_shut_door_refuses_and_an_opened_one_lets_through_again(
    page: Page, complaints: Complaints, url: str, doors: Doors
) -> None:
    complaints.allow("favicon|ERR_")
    door = await doors(url)
    await page.goto(f"{door.url}/healthz")
    asks = "(ms) => fetch('/healthz', {signal: AbortSignal.timeout(ms)}).then((a) => a.status, (e) => e.name)"

    opened = await page.evaluate(asks, 5000)
    await door.shut()
    shut = await page.evaluate(asks, 5000)
    await door.open()
    door.stick()
    stuck = await page.evaluate(asks, 300)
    await door.open()

    assert (opened, shut, stuck) == (200, "TypeError", "TimeoutError")
    assert await page.evaluate(asks, 5000) == 200
