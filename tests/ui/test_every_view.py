"""What holds for every view: its address opens it, everybody can read it, and it fits a phone."""

import pytest
from playwright.async_api import Page

from tests.api.stage import Play
from tests.ui.browsing import axe, wider_than_the_window
from tests.ui.conftest import PHONE, Opening
from tests.ui.scenery import painted


async def settled(page: Page) -> None:
    """Until the view shows what it has read."""
    await page.locator("main#main h1").first.wait_for(state="attached")
    await page.wait_for_function("() => !document.querySelector('.loading, [aria-busy=true]')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_view_breaks_a_rule_of_accessibility(
    play: Play, url: str, opening: Opening, scheme: str
) -> None:
    views = (await painted(play)).views()
    page = await opening(scheme=scheme)

    found = {}
    for name, path in views.items():
        await page.goto(url + path)
        await settled(page)
        found[name] = await axe(page)

    assert {name: each for name, each in found.items() if each} == {}


async def test_every_address_opens_its_own_view_with_a_heading_and_a_title(
    play: Play, url: str, page: Page
) -> None:
    views = (await painted(play)).views()

    seen = {}
    for name, path in views.items():
        await page.goto(url + path)
        await settled(page)
        assert await page.locator("main").count() == 1, name
        assert await page.locator("h1:visible").count() >= 1, name
        seen[name] = await page.title()

    assert all(title.endswith("Command Hub") for title in seen.values())
    assert seen["one dead letter"].startswith("VTID-")
    # Different views have different names in a reader's history.
    assert len(set(seen.values())) >= len(seen) - 3


async def test_no_view_is_wider_than_a_phone(play: Play, url: str, opening: Opening) -> None:
    views = (await painted(play)).views()
    page = await opening(viewport=PHONE)

    wider = {}
    for name, path in views.items():
        await page.goto(url + path)
        await settled(page)
        wider[name] = await wider_than_the_window(page)

    assert {name: by for name, by in wider.items() if by > 0} == {}
