"""What holds for every view: its address opens it, everybody can read it, and it fits a phone."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from api.app import create_app, stop
from tests.api.conftest import OPTIONS, serving
from tests.api.engine import FakeEngine
from tests.api.stage import Play
from tests.ui.browsing import Complaints, axe, wider_than_the_window
from tests.ui.conftest import DESKTOP, PHONE, Opening
from tests.ui.scenery import blocked, painted
from vtid.configuration.environments import load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS
from vtid.ledger import Ledger


@dataclass(frozen=True)
class Seen:
    """One view as it was opened by its address."""

    name: str
    title: str
    mains: int
    headings: int
    broken_in_light: list[str]
    broken_in_dark: list[str]
    broken_on_a_phone: list[str]
    wider_than_a_phone: int


@pytest.fixture(scope="module")
async def play(
    blank: Path, keys: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Play]:
    """One stage for all views."""
    file = shutil.copy(blank, tmp_path_factory.mktemp("views"))
    ledger = await Ledger.open(f"sqlite+aiosqlite:///{file}")
    for role, secret in keys.items():
        await ledger.keys.create(name=f"{role}-1", role=role, secret=secret)
    engine = FakeEngine()
    app = create_app(ledger, engine, load_environments(SHIPPED_ENVIRONMENTS), OPTIONS)
    yield Play(app, ledger, engine, keys)
    stop(app)
    await ledger.close()


@pytest.fixture(scope="module")
async def walk(play: Play, browser: Browser) -> list[Seen]:
    """Every view opened once, looked at in both schemes and both widths. Nothing complains on the way."""
    views = (await painted(play)).views()
    heard = Complaints()
    async with serving(play.app) as url:
        context = await browser.new_context(reduced_motion="reduce")
        rest = iter(views.items())

        async def tab() -> list[Seen]:
            page = await context.new_page()
            heard.watch(page)
            return [await look(page, name, url + path) for name, path in rest]

        seen = [each for tab_saw in await asyncio.gather(tab(), tab()) for each in tab_saw]
        await context.close()
    assert heard.left() == []
    return seen


async def look(page: Page, name: str, address: str) -> Seen:
    """One view in light and dark, on a desktop and on a phone."""
    await page.set_viewport_size(DESKTOP)
    await page.emulate_media(color_scheme="light")
    await page.goto(address)
    await page.locator("main#main h1").first.wait_for(state="attached")
    await page.wait_for_function("() => !document.querySelector('.loading, [aria-busy=true]')")
    title = await page.title()
    mains, headings = await page.locator("main").count(), await page.locator("h1:visible").count()
    in_light = await axe(page)
    await page.emulate_media(color_scheme="dark")
    in_dark = await axe(page, only="color-contrast")  # nothing else depends on the scheme
    await page.set_viewport_size(PHONE)
    wider, on_a_phone = await wider_than_the_window(page), await axe(page)
    await page.set_viewport_size(DESKTOP)
    await page.evaluate("document.documentElement.style.fontSize = '175%'")  # twice the 87.5 % of tokens.css
    wider = max(wider, await wider_than_the_window(page))
    brand = await page.locator(".brand").evaluate("(each) => each.offsetWidth > each.offsetHeight")
    assert brand, f"{name}: with text twice as large the head of the page is torn apart"
    return Seen(name, title, mains, headings, in_light, in_dark, on_a_phone, wider)


def test_no_view_breaks_a_rule_of_accessibility_in_light(walk: list[Seen]) -> None:
    assert {each.name: each.broken_in_light for each in walk if each.broken_in_light} == {}


def test_no_view_breaks_a_rule_of_accessibility_in_the_dark(walk: list[Seen]) -> None:
    assert {each.name: each.broken_in_dark for each in walk if each.broken_in_dark} == {}


def test_no_view_breaks_a_rule_of_accessibility_on_a_phone(walk: list[Seen]) -> None:
    assert {each.name: each.broken_on_a_phone for each in walk if each.broken_on_a_phone} == {}


@pytest.mark.parametrize(
    "button", ["Emergency stop", "Cancel the run", "Retry the stage", "Adopt a pull request"]
)
async def test_no_question_breaks_a_rule_of_accessibility(button: str, play: Play, opening: Opening) -> None:
    vtid = await blocked(play)
    page = await opening()
    async with serving(play.app) as url:
        await page.goto(f"{url}/runs/{vtid}")
        await page.get_by_role("button", name=button).click()
        await page.get_by_role("dialog").wait_for()

        assert await axe(page) == []
        await page.close()


def test_no_view_is_wider_than_a_phone_or_than_a_window_with_text_twice_as_large(walk: list[Seen]) -> None:
    assert {each.name: each.wider_than_a_phone for each in walk if each.wider_than_a_phone > 0} == {}


def test_every_address_opens_its_own_view_with_a_heading_and_a_title(walk: list[Seen]) -> None:
    assert {each.name: each.mains for each in walk if each.mains != 1} == {}
    assert {each.name for each in walk if each.headings == 0} == set()
    assert all(each.title.endswith("Command Hub") for each in walk)
    # Different views have different names in a reader's history.
    assert len({each.title for each in walk}) >= len(walk) - 3
