"""The drawer of a task, as a person finds things in it."""

from playwright.async_api import Locator, Page


def drawer(page: Page) -> Locator:
    return page.locator(".drawer")


def step(page: Page, label: str) -> Locator:
    """A button on the way from spec to run."""
    return drawer(page).get_by_role("list", name="From spec to run").get_by_role("button", name=label)


def notice(page: Page, text: str) -> Locator:
    """What the page says about something that was done."""
    return page.get_by_role("region", name="Messages").get_by_text(text)


async def approve(page: Page, version: int) -> None:
    """Approve the version that is before the reader, and wait until it is done."""
    await step(page, f"Approve version {version}").click()
    await drawer(page).get_by_text(f"Version {version} is approved already.").wait_for()
