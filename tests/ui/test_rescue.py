"""Deciding about a blocked run on its page: every move, told first what it would do."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page

from tests.api.conftest import Staging, serving
from tests.api.stage import PULL, Play
from tests.ui.browsing import Complaints
from tests.ui.conftest import Opening
from tests.ui.drawer import notice
from tests.ui.ground import Ground
from vtid.cli.scenarios.drill import Drill
from vtid.domain.commands.messages import Rescue
from vtid.domain.proof_checks import objections_to
from vtid.domain.proof_shape import Bundle, read_bundle
from vtid.domain.stages import Stage

RULE = "VAL-RULE-009"


async def blocked(play: Play, *, code: str = "VALIDATION_FAILED") -> str:
    """A run that waits for a decision, with a rule that may be skipped."""
    vtid = await play.run()
    await play.tell(vtid, "stage.started", stage=Stage.WORKER)
    await play.tell(vtid, "stage.started", stage=Stage.VALIDATOR)
    failure: dict[str, Any] = {
        "code": code, "stage": "VALIDATOR", "message": "a path is denied", "outcome": "failure",
        "retryable": False, "advice": "mend the pull request, then retry", "causes": [], "step": "judge",
        "attempt": 1, "since": datetime.now(UTC).isoformat(), "skippable": [RULE],
        "moves": ["retry", "adopt", "skip", "abandon"],
    }  # fmt: skip
    until = (datetime.now(UTC) + timedelta(hours=72)).isoformat()
    await play.tell(vtid, "run.blocked", stage=Stage.VALIDATOR, failure=failure, until=until)
    return vtid


async def choose(page: Page, label: str) -> Locator:
    """Press the move's button; gives the dialog that asks."""
    await page.get_by_role("region", name="Decide").get_by_role("button", name=label).click()
    return page.get_by_role("dialog")


def decided(play: Play, vtid: str) -> Rescue:
    (told,) = play.engine.run_of(vtid).told
    assert isinstance(told, Rescue)
    return told


async def test_adopt_takes_the_address_of_a_pull_request(
    play: Play, url: str, page: Page, complaints: Complaints
) -> None:
    complaints.allow("422")
    vtid = await blocked(play)
    await page.goto(f"{url}/runs/{vtid}")

    dialog = await choose(page, "Adopt a pull request")
    await dialog.get_by_label("Address of the pull request").fill("nowhere")
    await dialog.locator(".preview .wrong").wait_for()  # refused by the dry run, before anything is done
    await dialog.get_by_label("Address of the pull request").fill(PULL)
    await dialog.get_by_text(f"{PULL} becomes the evidence of this run").wait_for()
    await dialog.get_by_role("button", name="Adopt").click()

    await notice(page, "decided in your name").wait_for()
    assert decided(play, vtid).pr_url == PULL


async def test_an_operator_is_told_that_skipping_needs_an_approver(
    staging: Staging, page: Page, complaints: Complaints
) -> None:
    complaints.allow("401|ERR_")  # the server ends before the page
    play = staging(dev=False)
    vtid = await blocked(play)
    async with serving(play.app) as url:
        await page.goto(f"{url}/runs/{vtid}")
        await page.get_by_label("Your API key").fill(play.keys["operator"])
        await page.get_by_role("button", name="Sign in").click()

        decide = page.get_by_role("region", name="Decide")
        skip = decide.get_by_role("button", name="Skip a rule")
        await decide.get_by_text("This needs the role approver; you are operator.").wait_for()
        assert await skip.get_attribute("aria-disabled") == "true"
        assert (
            await decide.get_by_role("button", name="Retry the stage").get_attribute("aria-disabled") is None
        )


async def test_a_decision_that_somebody_else_made_meanwhile_is_not_made_again(
    play: Play, url: str, page: Page
) -> None:
    vtid = await blocked(play)
    await page.goto(f"{url}/runs/{vtid}")
    dialog = await choose(page, "Retry the stage")
    await dialog.get_by_text("stage VALIDATOR begins again").wait_for()

    await play.tell(vtid, "run.resumed", move="abandon", by="somebody", reason="no")

    await dialog.get_by_text("The run does not offer this any more.").wait_for()
    assert play.engine.run_of(vtid).told == []


# --- on the real stack: the page says what a move would do, the run does it, and the page shows what came of it


async def retried(drill: Drill, page: Page, url: str) -> None:
    """The worker fails each time; another one is hired, and the stage begins again."""
    unlucky = await drill.hire("unlucky", "fails")
    await drill.start()
    await drill.until_decided()
    await unlucky.dismiss()
    await drill.hire("honest")
    await page.goto(f"{url}/runs/{drill.vtid}")
    await page.get_by_role("heading", name="worker failed").wait_for()

    dialog = await choose(page, "Retry the stage")
    await dialog.get_by_text("stage WORKER begins again").wait_for()
    await dialog.get_by_role("button", name="Retry").click()

    await proven(page)
    await page.get_by_role("row", name="Head commit").get_by_text("agree").wait_for()


async def adopted(drill: Drill, page: Page, url: str) -> None:
    """The worker fails each time; a person names the pull request that they made by hand."""
    unable = await drill.hire("unable", "fails")
    await drill.start()
    await drill.until_decided()
    await unable.dismiss()
    pull = await drill.world.open_pull("by-hand", f"{drill.vtid}: done by hand")
    await page.goto(f"{url}/runs/{drill.vtid}")

    dialog = await choose(page, "Adopt a pull request")
    await dialog.get_by_label("Address of the pull request").fill(pull["html_url"])
    await dialog.get_by_text("becomes the evidence of this run").wait_for()
    await dialog.get_by_role("button", name="Adopt").click()

    await proven(page)
    merged = await drill.until_event("change.merged")
    assert merged["pull_request"] == pull["html_url"]


async def skipped(drill: Drill, page: Page, url: str) -> None:
    """The change touches a denied path; an approver lets that rule be."""
    await drill.hire("worker", "denied-path")
    await drill.start()
    await drill.until_decided()
    await page.goto(f"{url}/runs/{drill.vtid}")

    dialog = await choose(page, "Skip a rule")
    await dialog.get_by_text("Still needed: rule, reason.").wait_for()
    await dialog.get_by_label("Rule").select_option(RULE)
    await dialog.get_by_text(f"{RULE} is recorded as skipped").wait_for()
    await dialog.get_by_label("Reason").fill("agreed with the owner of the path")
    await dialog.get_by_role("button", name="Skip the rule").click()

    await proven(page)
    skipped = page.locator(f"#{RULE}")
    await skipped.get_by_text("skipped").wait_for()
    await skipped.get_by_text("agreed with the owner of the path").first.wait_for()
    bundle = await taken_home(page)
    assert objections_to(bundle.statement) == ()
    let_be = [each for each in bundle.predicate["verdict"]["rules"] if each["answer"] == "skipped"]
    assert [(each["rule"], each["reason"]) for each in let_be] == [
        (RULE, "agreed with the owner of the path")
    ]


async def abandoned(drill: Drill, page: Page, url: str) -> None:
    """The change touches a denied path; a person gives it up."""
    await drill.hire("worker", "denied-path")
    await drill.start()
    await drill.until_decided()
    await page.goto(f"{url}/runs/{drill.vtid}")

    dialog = await choose(page, "Abandon")
    await dialog.get_by_text("Still needed: reason.").wait_for()
    await dialog.get_by_label("Reason").fill("not worth it")
    await dialog.get_by_role("button", name="Abandon the run").click()

    await page.get_by_role("heading", name="given up").wait_for()
    await drill.until_over()
    assert (drill.run or {})["failure"]["code"] == "ABANDONED"
    assert (drill.run or {})["merged"] is None


async def cancelled(drill: Drill, page: Page, url: str) -> None:
    """A worker is at work; the run is asked to end, and the worker confirms that it stopped."""
    worker = await drill.hire("worker", "slow", "--work-seconds", "60")
    await drill.start()
    await drill.until(lambda: worker.has_said("heartbeat"), "the worker to be at work")
    await page.goto(f"{url}/runs/{drill.vtid}")

    await page.get_by_role("button", name="Cancel the run").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Reason").fill("priorities changed")
    await dialog.get_by_role("button", name="Cancel the run").click()

    await page.get_by_role("heading", name="cancelled").wait_for()
    await drill.until(lambda: worker.has_said("released"), "the worker to confirm")


async def proven(page: Page) -> None:
    """The whole chain is shown as proven."""
    whole = page.get_by_role("heading", name="Deployment proof").get_by_text("complete")
    await whole.wait_for(timeout=60_000)
    assert set(await page.locator(".chain .link .pill").all_text_contents()) == {"✓ proven"}


async def taken_home(page: Page) -> Bundle:
    """The proof bundle, as the page's link gives it."""
    async with page.expect_download() as taken:
        await page.get_by_role("link", name="Proof bundle").click()
    return read_bundle(Path(await (await taken.value).path()).read_text(encoding="utf-8"))


@pytest.mark.e2e
async def test_every_move_that_is_made_on_the_page_is_done_by_its_run(
    ground: Ground, opening: Opening
) -> None:
    """Each in a tab of its own, all at once: five people at one stack."""

    async def one(course: Callable[[Drill, Page, str], Awaitable[None]]) -> None:
        async with ground.drill(f"{course.__name__}-on-the-page") as drill:
            await course(drill, await opening(), ground.url)

    await asyncio.gather(*map(one, (retried, adopted, skipped, abandoned, cancelled)))
