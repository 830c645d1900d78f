"""What the browser must read before it shows the board, and under which policy."""

import gzip
import re
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Page

from api.routes.page import inline_script_hashes
from api.ui_modules import first_modules
from tests.api.stage import Play

FIRST_LOAD_BYTES = 60 * 1024


async def test_the_board_is_there_after_sixty_kilobytes(play: Play, url: str, page: Page) -> None:
    await play.run()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    await page.goto(url)
    await page.locator(".card").first.wait_for()

    files = sorted(
        {each for each in asked if urlsplit(each).path.startswith("/ui/") or urlsplit(each).path == "/"}
    )
    sizes = {each: await _on_the_wire(each) for each in files}
    assert len(sizes) > 10
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes


async def _on_the_wire(address: str) -> int:
    """Bytes of the body as they travel."""
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        return len(b"".join([chunk async for chunk in answer.aiter_raw()]))


async def test_text_travels_compressed(play: Play, url: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/ui/app.js", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(answer.content)) < len(answer.content)


async def test_the_policy_admits_our_own_files_and_one_import_map(play: Play) -> None:
    (import_map,) = inline_script_hashes()
    async with play.client(None) as client:
        answers = [
            await client.get(path)
            for path in ("/", "/tasks/VTID-0001", "/statistics", "/nowhere", "/api/v1/tasks")
        ]

    assert {answer.headers["content-security-policy"] for answer in answers} == {
        f"default-src 'self'; script-src 'self' '{import_map}'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'; object-src 'none'"
    }


async def test_no_script_and_no_style_stands_in_the_page_itself(play: Play) -> None:
    async with play.client(None) as client:
        text = (await client.get("/")).text

    inline = re.findall(r"<script(?![^>]*\ssrc=)([^>]*)>", text)
    assert inline == [' type="importmap"']
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)


async def test_what_is_preloaded_is_what_the_first_view_imports(play: Play, url: str, page: Page) -> None:
    await play.run()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))

    await page.goto(url)
    await page.locator(".card").first.wait_for()

    assert {each for each in asked if each.endswith(("js", "mjs"))} == set(first_modules())
    assert len(first_modules()) == len(set(first_modules())) > 20
