import asyncio

import pytest

from tests.ledger.builders import SPEC, VTID, approved, request, started, task
from vtid.domain.task import TaskStatus, spec_hash
from vtid.ledger import Ledger, Refusal, Stale, Unknown
from vtid.ledger.task_lists import TaskFilter


async def told(ledger: Ledger) -> list[str]:
    return [each.type for each in await ledger.events.read(vtid=VTID)]


async def test_a_new_task_is_allocated_with_a_draft_spec(ledger: Ledger) -> None:
    made = await task(ledger, services=("shop",))

    assert made == await ledger.tasks.get(VTID)
    assert (made.status, made.version, made.services, made.run) == (TaskStatus.ALLOCATED, 1, ("shop",), None)
    assert made.spec is not None
    assert (made.spec.state, made.spec.version, made.spec.hash) == ("draft", 1, spec_hash(SPEC))


async def test_the_next_vtid_is_one_more_than_the_largest(ledger: Ledger) -> None:
    await task(ledger, "vtid-01227")

    made = await task(ledger, None)

    assert made.vtid == "VTID-01228"


async def test_tasks_created_at_once_get_different_vtids(url: str, ledger: Ledger) -> None:
    other = await Ledger.open(url)

    made = await asyncio.gather(*(task((ledger, other)[n % 2], None) for n in range(12)))
    await other.close()

    assert sorted(each.vtid for each in made) == [f"VTID-{n:05d}" for n in range(1, 13)]


async def test_a_vtid_is_created_once(ledger: Ledger) -> None:
    await task(ledger)

    with pytest.raises(Refusal, match="exists already") as refusal:
        await task(ledger, title="Another")

    assert refusal.value.code == "ILLEGAL_TRANSITION"
    assert (await ledger.tasks.get(VTID)).title == "A shop"


async def test_an_unknown_task_is_named(ledger: Ledger) -> None:
    with pytest.raises(Unknown, match="task VTID-00404"):
        await ledger.tasks.get("VTID-00404")


async def test_approving_binds_the_exact_text_and_schedules_the_task(ledger: Ledger) -> None:
    made = await approved(ledger)

    assert made.status is TaskStatus.SCHEDULED
    assert made.spec is not None
    assert (made.spec.state, made.spec.approved_by) == ("approved", "bob")
    assert await told(ledger) == ["task.created", "spec.put", "spec.validated", "spec.approved"]


async def test_approving_twice_is_approving_once(ledger: Ledger) -> None:
    made = await approved(ledger)

    again = await ledger.tasks.approve_spec(VTID, spec_hash(SPEC), by="carl")

    assert again == made


async def test_a_text_that_is_not_current_cannot_be_approved(ledger: Ledger) -> None:
    await task(ledger)
    await ledger.tasks.put_spec(VTID, "# Other", by="ann")

    with pytest.raises(Refusal) as refusal:
        await ledger.tasks.approve_spec(VTID, spec_hash(SPEC), by="bob")

    assert refusal.value.code == "SPEC_HASH_MISMATCH"
    assert (refusal.value.expected, refusal.value.actual) == (spec_hash("# Other"), spec_hash(SPEC))


async def test_a_spec_with_errors_is_neither_validated_nor_approved(ledger: Ledger) -> None:
    await task(ledger, markdown="no heading")

    with pytest.raises(Refusal) as refusal:
        await ledger.tasks.approve_spec(VTID, spec_hash("no heading"), by="bob")

    assert refusal.value.code == "VALIDATION"
    assert "no heading" in refusal.value.actual[0]


async def test_validation_keeps_its_warnings(ledger: Ledger) -> None:
    await task(ledger, markdown="# Goal")

    made, findings = await ledger.tasks.validate_spec(VTID, by="ann")

    assert made.spec is not None
    assert made.spec.state == "validated"
    assert (
        made.spec.warnings == findings.warnings == ("no section 'Scope'", "no section 'Acceptance Criteria'")
    )


async def test_a_changed_spec_voids_the_approval(ledger: Ledger) -> None:
    await approved(ledger)

    made = await ledger.tasks.put_spec(VTID, SPEC + "More.", by="ann")

    assert made.status is TaskStatus.ALLOCATED
    assert made.spec is not None
    assert (made.spec.version, made.spec.state) == (2, "draft")
    assert (await told(ledger))[-1] == "approval.voided"


async def test_the_same_text_again_keeps_the_approval(ledger: Ledger) -> None:
    made = await approved(ledger)

    assert await ledger.tasks.put_spec(VTID, SPEC, by="ann") == made


async def test_a_spec_changed_during_a_run_leaves_the_status_to_the_run(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.works()

    made = await ledger.tasks.put_spec(VTID, "# Other", by="ann")

    assert made.status is TaskStatus.IN_PROGRESS
    facts = await ledger.journal.task_facts(VTID)
    assert facts is not None
    assert facts.approved_hash is None


async def test_a_completed_task_takes_no_other_spec(ledger: Ledger) -> None:
    course = await started(ledger)
    await course.completes()

    with pytest.raises(Refusal) as refusal:
        await ledger.tasks.put_spec(VTID, "# Other", by="ann")

    assert refusal.value.code == "TASK_COMPLETED"


async def test_of_two_edits_of_one_version_the_second_gets_the_fresh_task(ledger: Ledger) -> None:
    made = await task(ledger)
    edits = [
        ledger.tasks.change(VTID, expected_version=made.version, changes={"title": name}, by="ann")
        for name in ("One", "Two")
    ]

    results = await asyncio.gather(*edits, return_exceptions=True)

    (stale,) = [each for each in results if isinstance(each, Stale)]
    assert stale.fresh == await ledger.tasks.get(VTID)
    assert stale.fresh.version == made.version + 1


async def test_a_change_that_changes_nothing_is_no_event(ledger: Ledger) -> None:
    made = await task(ledger)

    again = await ledger.tasks.change(VTID, expected_version=None, changes={"services": ()}, by="ann")

    assert again == made
    assert "task.changed" not in await told(ledger)


async def test_the_target_of_an_open_run_cannot_change(ledger: Ledger) -> None:
    await started(ledger)

    with pytest.raises(Refusal) as refusal:
        await ledger.tasks.change(VTID, expected_version=None, changes={"environment": "staging"}, by="ann")
    await ledger.tasks.change(VTID, expected_version=None, changes={"priority": 1}, by="ann")

    assert (refusal.value.code, refusal.value.run_id) == ("ILLEGAL_TRANSITION", "run-1")
    assert (await ledger.tasks.get(VTID)).priority == 1


async def test_pages_show_each_task_once_even_when_tasks_come_meanwhile(ledger: Ledger) -> None:
    for number in range(1, 6):
        await task(ledger, f"VTID-{number:05d}")

    first = await ledger.tasks.list(limit=2)
    await task(ledger, "VTID-00099")
    second = await ledger.tasks.list(limit=2, cursor=first.next_cursor)
    third = await ledger.tasks.list(limit=2, cursor=second.next_cursor)

    names = [each.vtid for page in (first, second, third) for each in page.items]
    assert names == ["VTID-00005", "VTID-00004", "VTID-00003", "VTID-00002", "VTID-00001"]
    assert third.next_cursor is None


async def test_a_made_up_cursor_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Refusal, match="cursor"):
        await ledger.tasks.list(cursor="made-up")


async def test_the_list_is_searched_by_status_words_stage_and_code(ledger: Ledger) -> None:
    await task(ledger, "VTID-00001", title="100% wool")
    course = await started(ledger)
    await course.blocks()

    assert await _names(ledger, status="blocked") == [VTID]
    assert await _names(ledger, q="0% WO") == ["VTID-00001"]
    assert await _names(ledger, q="1227") == [VTID]
    assert await _names(ledger, stage="VALIDATOR", code="CHECKS_FAILED") == [VTID]
    assert await _names(ledger, code="WORKER_LOST") == []


async def test_a_task_shows_its_last_run(ledger: Ledger) -> None:
    await started(ledger)

    made = await ledger.tasks.get(VTID)

    assert made.run is not None
    assert (made.run.run_id, made.run.state) == ("run-1", "open")
    assert request().title == made.run.view.title


async def _names(ledger: Ledger, **search: str) -> list[str]:
    statuses = (TaskStatus(search.pop("status")),) if "status" in search else None
    page = await ledger.tasks.list(TaskFilter(statuses=statuses, **search))  # type: ignore[arg-type]
    return [each.vtid for each in page.items]
