"""A quiet browser, pages that must not complain, and the accessibility check."""

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import ConsoleMessage, Page, Request

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Nothing but what a test asks for: no updates, no pings, no first-run pages.
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--disable-domain-reliability", "--no-pings", "--metrics-recording-only", "--disable-dev-shm-usage",
)  # fmt: skip
_LOOPBACK = {"127.0.0.1", "localhost"}


def need_browser() -> str:
    """The browser's program. Skips in one line where nobody may install one; in CI that is a failure."""
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip("no chromium here, and `make test` may not install one")
    assert CHROMIUM is not None, "CI must have a chromium: scripts/chromium.sh installs Debian's"
    return CHROMIUM


@dataclass
class Complaints:
    """What pages said that they must not say: errors, warnings, and calls to anywhere else."""

    said: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    is_over: bool = False  # the test is done: what its server's end makes a page say is nobody's fault

    def allow(self, pattern: str) -> None:
        """A message that this test provokes, as a regular expression."""
        self.allowed.append(pattern)

    def watch(self, page: Page) -> None:
        """Hear everything that this page says."""
        page.on("pageerror", lambda error: self._hear(f"error: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)

    def left(self) -> list[str]:
        """What was said and is not allowed."""
        return [each for each in self.said if not any(re.search(pattern, each) for pattern in self.allowed)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self._hear(f"{message.type}: {message.text} ({where})")

    def _request(self, request: Request) -> None:
        host = urlsplit(request.url).hostname
        if host is not None and host not in _LOOPBACK:
            self._hear(f"error: the page called {request.url}")

    def _hear(self, what: str) -> None:
        if not self.is_over:
            self.said.append(what)


async def axe(page: Page, *, only: str | None = None) -> list[str]:
    """What axe-core finds wrong in the page as it stands; empty is good. only: this rule and no other.

    It is injected by evaluation, which the page's own policy does not hinder.
    """
    if not await page.evaluate("typeof window.axe === 'object'"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = await page.evaluate(
        "async (only) => (await axe.run('html', {resultTypes: ['violations'], preload: false, ...(only && {runOnly: [only]})})).violations",
        only,
    )
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']} at {', '.join(str(node['target']) for node in rule['nodes'][:5])}"
        f" {rule['nodes'][0].get('failureSummary', '')}"
        for rule in found
    ]


async def wider_than_the_window(page: Page) -> int:
    """By how many pixels the page must be scrolled sideways; 0 or less is good."""
    wider: int = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return wider
