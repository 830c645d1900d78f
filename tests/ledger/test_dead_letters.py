import pytest

from tests.ledger.builders import DEPLOY, VALIDATOR, VTID, failure, started
from vtid.ledger import Ledger, Unknown
from vtid.ledger.dead_letters import Wanted


async def test_a_blocked_run_is_a_dead_letter_with_what_it_did_to_the_world(ledger: Ledger) -> None:
    course = await started(ledger)

    await course.blocks()

    (letter,) = (await ledger.dead_letters.list(Wanted())).items
    assert (letter.vtid, letter.stage, letter.code, letter.state) == (
        VTID,
        "VALIDATOR",
        "CHECKS_FAILED",
        "open",
    )
    assert letter.until is not None
    (pull,) = letter.side_effects
    assert (pull.kind, pull.url) == ("pull_request", "https://github.com/acme/shop/pull/7")
    assert letter.request is not None
    assert letter.request.spec_hash == letter.view.spec_hash
    assert letter == await ledger.dead_letters.get(VTID) == await ledger.dead_letters.get(letter.id)


async def test_a_decision_resolves_it_and_a_second_block_is_a_new_one(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.blocks()
    first = await ledger.dead_letters.get(VTID)

    await course.tell(("run.resumed", VALIDATOR, {"move": "retry", "by": "carl", "reason": "CI is back"}))
    resolved = await ledger.dead_letters.get(first.id)
    await course.tell(("run.blocked", VALIDATOR, {"failure": failure()}))

    assert (resolved.state, resolved.resolution, resolved.resolved_by) == ("resolved", "retry", "carl")
    assert [letter.id != first.id for letter in (await ledger.dead_letters.list(Wanted())).items] == [True]
    assert len((await ledger.dead_letters.list(Wanted(state=None))).items) == 2


async def test_the_end_of_the_run_resolves_it(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.blocks()

    end = {"outcome": "failure", "status": "rejected", "failure": failure("ABANDONED"), "note": "given up"}
    await course.tell(("run.finished", VALIDATOR, end))

    assert (await ledger.dead_letters.list(Wanted())).items == []
    assert (await ledger.dead_letters.get(VTID)).resolution == "given up"


async def test_blocked_and_resumed_in_one_batch_is_one_resolved_letter(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.validates()

    await course.tell(
        ("run.blocked", VALIDATOR, {"failure": failure()}),
        ("run.resumed", VALIDATOR, {"move": "retry", "by": "carl"}),
    )

    (letter,) = (await ledger.dead_letters.list(Wanted(state=None))).items
    assert letter.state == "resolved"


async def test_dead_letters_are_searched_by_code_and_paged(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        course = await started(ledger, f"VTID-{number:05d}", f"start-{number}", f"run-{number}")
        await course.blocks()

    page = await ledger.dead_letters.list(Wanted(code="CHECKS_FAILED"), limit=2)
    rest = await ledger.dead_letters.list(Wanted(code="CHECKS_FAILED"), limit=2, cursor=page.next_cursor)

    assert [letter.vtid[-1] for letter in page.items + rest.items] == ["3", "2", "1"]
    assert (await ledger.dead_letters.list(Wanted(code="WORKER_LOST"))).items == []


async def test_an_unknown_dead_letter_is_named(ledger: Ledger) -> None:
    with pytest.raises(Unknown, match="dead letter VTID-00404"):
        await ledger.dead_letters.get("VTID-00404")


async def test_a_resolved_letter_shows_the_run_as_it_stood_when_it_was_blocked(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.blocks()
    before = await ledger.dead_letters.get(VTID)

    await course.tell(
        ("run.resumed", VALIDATOR, {"move": "retry", "by": "carl"}),
        ("change.merged", DEPLOY, {"sha": "b" * 40, "pull_request": "https://github.com/acme/shop/pull/7"}),
        ("run.blocked", DEPLOY, {"failure": failure("PROBE_FAILED", DEPLOY)}),
    )
    resolved, now = await ledger.dead_letters.get(before.id), await ledger.dead_letters.get(VTID)

    assert (resolved.view, resolved.side_effects) == (before.view, before.side_effects)
    assert [effect.kind for effect in now.side_effects] == ["pull_request", "merge"]


async def test_the_longest_waiting_come_first_with_the_number_of_all(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        await (await started(ledger, f"VTID-{number:05d}", f"start-{number}", f"run-{number}")).blocks()

    letters, matched = await ledger.dead_letters.oldest(Wanted(code="CHECKS_FAILED"), 2)
    named, _ = await ledger.dead_letters.oldest(Wanted(ids=(letters[1].id,)), 2)
    elsewhere, none = await ledger.dead_letters.oldest(Wanted(environment="staging"), 2)

    assert ([letter.vtid[-1] for letter in letters], matched) == (["1", "2"], 3)
    assert named == [letters[1]]
    assert (elsewhere, none) == ([], 0)
