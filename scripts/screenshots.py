"""Take the pictures of the page for docs/ and the README, from the demo itself.

.venv/bin/python scripts/screenshots.py        (or: make screenshots)
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DECIDED_SECONDS = 180.0
LARGEST_BYTES = 200_000
# What stands on the board beside the demo's own four tasks: (title, is its spec approved).
MORE = (
    ("Round prices to cents, half to even", False),
    ("Keep a basket for thirty days", False),
    ("Retry a webhook that was answered with 502", True),
    ("Log in with a passkey", True),
)


def main() -> None:
    """Every picture, written over the one before."""
    browser_program = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_program is None:
        sys.exit("no chromium here: scripts/chromium.sh installs Debian's")
    with demo() as ready, sync_playwright() as playwright:
        api = Api(ready)
        blocked = api.until_decided()
        runs = api.add(MORE)
        browser = playwright.chromium.launch(executable_path=browser_program, args=["--no-sandbox"])
        Camera(browser, api).take_all(blocked, draft=runs["draft"], started=runs["approved"])
        browser.close()


@contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """The demo on free ports and a directory of its own; what its first line says."""
    with tempfile.TemporaryDirectory() as directory:
        command = (
            sys.executable,
            "-m",
            "vtid.cli.main",
            "demo",
            "--port",
            "0",
            "--json",
            "--data-dir",
            directory,
        )
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        )
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            # It goes on telling; a full pipe would hold it up.
            Thread(target=process.stdout.read, daemon=True).start()
            yield ready
        finally:
            process.terminate()
            process.wait(30)


class Api:
    """The demo's API, as its administrator."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.url: str = ready["api"]
        self._client = httpx.Client(
            base_url=f"{self.url}/api/v1", timeout=20, headers={"Authorization": f"Bearer {ready['token']}"}
        )

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A call that must succeed."""
        answer: dict[str, Any] = self._client.request(method, path, json=body).raise_for_status().json()
        return answer

    def until_decided(self) -> str:
        """Until the demo's four runs are over or blocked; the VTID of the blocked one."""
        give_up = time.monotonic() + DECIDED_SECONDS
        while time.monotonic() < give_up:
            counts = self.call("GET", "/board?limit=1")["counts"]
            if counts["completed"] == 3 and counts["blocked"] == 1:
                return str(self.call("GET", "/needs-you")["blocked"]["items"][0]["vtid"])
            time.sleep(1)
        sys.exit(f"the demo's runs were not decided within {DECIDED_SECONDS:.0f} s")

    def add(self, tasks: tuple[tuple[str, bool], ...]) -> dict[str, list[str]]:
        """More tasks in `dev`; their VTIDs by `draft` and `approved`."""
        made: dict[str, list[str]] = {"draft": [], "approved": []}
        for title, approved in tasks:
            spec = f"# {title}\n\n## Goal\n\n{title}.\n\n## Scope\n\n- `services/shop`\n\n## Acceptance Criteria\n\n- a test proves it\n- the old behaviour stays for old clients\n"
            wish = {"title": title, "environment": "dev", "repository": "acme/shop", "spec": spec}
            task = self.call("POST", "/tasks", wish)
            if approved:
                self.call("POST", f"/tasks/{task['vtid']}/spec/approve", {"hash": task["spec"]["hash"]})
            made["approved" if approved else "draft"].append(task["vtid"])
        return made

    def start(self, vtid: str) -> None:
        """Start the run; the demo's worker takes it."""
        self.call("POST", "/runs", {"vtid": vtid})


class Camera:
    """Pages that are waited for, and then photographed."""

    def __init__(self, browser: Browser, api: Api) -> None:
        self._browser = browser
        self._api = api

    def take_all(self, blocked: str, *, draft: list[str], started: list[str]) -> None:
        """The six pictures."""
        # Started under the camera's eyes: the moment that is wanted lasts some seconds.
        self._take("board", "/", wait="text=validating", begin=lambda: self._api.start(started[0]))
        self._take("drawer", f"/tasks/{draft[0]}", wait="text=Acceptance Criteria")
        self._take("run", "/runs/VTID-01227", height=1150, wait="text=proven")
        self._take("dead-letters", f"/dead-letters/{blocked}", wait="article")
        self._take("dark", f"/runs/{blocked}", height=1000, dark=True, wait="text=Decide")
        self._api.start(started[1])
        self._take("phone", "/", width=390, height=844, wait=".card >> visible=true")

    def _take(
        self,
        name: str,
        path: str,
        *,
        wait: str,
        begin: Callable[[], None] = lambda: None,
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
    ) -> None:
        page: Page = self._browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        page.set_default_timeout(60_000)
        page.goto(self._api.url + path)
        page.locator("text=Live").first.wait_for()
        begin()
        page.locator(wait).first.wait_for()
        page.wait_for_function("() => !document.querySelector('.loading')")
        file = DOCS / f"{name}.png"
        page.screenshot(path=file)
        page.close()
        size = file.stat().st_size
        sys.stdout.write(f"{file.relative_to(ROOT)}  {size // 1024} KiB\n")
        assert size <= LARGEST_BYTES, f"{file.name} has {size} bytes; at most {LARGEST_BYTES}"


if __name__ == "__main__":
    main()
