"""What the browser must read before it shows the board, and under which policy."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.routing import Mount

from api.files import Files
from api.routes.page import inline_script_hashes
from api.ui_modules import UI, first_modules
from tests.api.stage import Play

FIRST_LOAD_BYTES = 60 * 1024


async def test_the_board_is_there_after_sixty_kilobytes_that_were_told_in_advance(
    play: Play, url: str, page: Page
) -> None:
    await play.run()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).path))

    await page.goto(url)
    await page.locator(".card").first.wait_for()

    assert {each for each in asked if each.endswith(("js", "mjs"))} == set(first_modules())
    assert len(first_modules()) == len(set(first_modules())) > 20
    async with httpx.AsyncClient(base_url=url, headers={"Accept-Encoding": "gzip"}) as client:
        files = sorted(each for each in asked if each.startswith("/ui/") or each == "/")
        sizes = {each: await _on_the_wire(client, each) for each in files}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes


async def _on_the_wire(client: httpx.AsyncClient, path: str) -> int:
    """Bytes of the body as they travel."""
    async with client.stream("GET", path) as answer:
        return len(b"".join([chunk async for chunk in answer.aiter_raw()]))


async def test_text_travels_compressed(play: Play, url: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/ui/app.js", headers={"Accept-Encoding": "gzip"})

        again = await client.get(f"{url}/ui/app.js", headers={"If-None-Match": answer.headers["etag"]})
        plain = await client.get(f"{url}/ui/app.js", headers={"Accept-Encoding": "identity"})

    assert answer.headers["content-encoding"] == "gzip"
    assert (again.status_code, again.content) == (304, b"")
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content == (UI / "app.js").read_bytes()


async def test_a_file_that_changed_on_disk_is_served_as_it_is_now(tmp_path: Path) -> None:
    """Whoever changes a word and reloads sees it; nothing outside the folder is ever served."""
    (tmp_path / "ui").mkdir()
    (tmp_path / "secret").write_text("outside")
    place = tmp_path / "ui" / "a.mjs"
    place.write_text("one")
    transport = httpx.ASGITransport(Starlette(routes=[Mount("/ui", Files(tmp_path / "ui"))]))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        before = await client.get("/ui/a.mjs")
        place.write_text("another")
        after = await client.get("/ui/a.mjs", headers={"If-None-Match": before.headers["etag"]})
        others = [await client.request(*each) for each in (
            ("GET", "/ui/%2e%2e/secret"), ("GET", "/ui/b.mjs"), ("GET", "/ui/"), ("POST", "/ui/a.mjs"),
        )]  # fmt: skip

    assert (before.text, after.text, after.status_code) == ("one", "another", 200)
    assert before.headers["content-type"] == "text/javascript; charset=utf-8"
    assert [each.status_code for each in others] == [404, 404, 404, 405]


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
