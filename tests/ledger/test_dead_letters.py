import pytest

from tests.ledger.builders import VALIDATOR, VTID, failure, started
from vtid.ledger import Ledger, Unknown


async def test_a_blocked_run_is_a_dead_letter_with_what_it_did_to_the_world(ledger: Ledger) -> None:
    course = await started(ledger)

    await course.blocks()

    (letter,) = (await ledger.dead_letters.list()).items
    assert (letter.vtid, letter.stage, letter.code, letter.state) == (
        VTID,
        "VALIDATOR",
        "CHECKS_FAILED",
        "open",
    )
    assert letter.until is not None
    assert letter.side_effects == ["open pull request https://github.com/acme/shop/pull/7"]
    assert letter == await ledger.dead_letters.get(VTID) == await ledger.dead_letters.get(letter.id)


async def test_a_decision_resolves_it_and_a_second_block_is_a_new_one(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.blocks()
    first = await ledger.dead_letters.get(VTID)

    await course.tell(("run.resumed", VALIDATOR, {"move": "retry", "by": "carl", "reason": "CI is back"}))
    resolved = await ledger.dead_letters.get(first.id)
    await course.tell(("run.blocked", VALIDATOR, {"failure": failure()}))

    assert (resolved.state, resolved.resolution, resolved.resolved_by) == ("resolved", "retry", "carl")
    assert [letter.id != first.id for letter in (await ledger.dead_letters.list()).items] == [True]
    assert len((await ledger.dead_letters.list(state=None)).items) == 2


async def test_the_end_of_the_run_resolves_it(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.blocks()

    end = {"outcome": "failure", "status": "rejected", "failure": failure("ABANDONED"), "note": "given up"}
    await course.tell(("run.finished", VALIDATOR, end))

    assert (await ledger.dead_letters.list()).items == []
    assert (await ledger.dead_letters.get(VTID)).resolution == "given up"


async def test_blocked_and_resumed_in_one_batch_is_one_resolved_letter(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.validates()

    await course.tell(
        ("run.blocked", VALIDATOR, {"failure": failure()}),
        ("run.resumed", VALIDATOR, {"move": "retry", "by": "carl"}),
    )

    (letter,) = (await ledger.dead_letters.list(state=None)).items
    assert letter.state == "resolved"


async def test_dead_letters_are_searched_by_code_and_paged(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        course = await started(ledger, f"VTID-{number:05d}", f"start-{number}", f"run-{number}")
        await course.blocks()

    page = await ledger.dead_letters.list(code="CHECKS_FAILED", limit=2)
    rest = await ledger.dead_letters.list(code="CHECKS_FAILED", limit=2, cursor=page.next_cursor)

    assert [letter.vtid[-1] for letter in page.items + rest.items] == ["3", "2", "1"]
    assert (await ledger.dead_letters.list(code="WORKER_LOST")).items == []


async def test_an_unknown_dead_letter_is_named(ledger: Ledger) -> None:
    with pytest.raises(Unknown, match="dead letter VTID-00404"):
        await ledger.dead_letters.get("VTID-00404")
