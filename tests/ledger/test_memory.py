"""What was read is kept only for as long as it is true, whoever changed it."""

from tests.ledger.builders import VTID, started
from vtid.domain.stages import Stage
from vtid.ledger import Ledger


async def test_a_run_is_seen_changed_at_once_by_its_own_and_by_another_process(
    url: str, ledger: Ledger
) -> None:
    course = await started(ledger)
    await course.begins()
    assert (await ledger.runs.current(VTID)).view.stage is Stage.PLANNER
    elsewhere = await Ledger.open(url)

    for stage, door in ((Stage.WORKER, elsewhere), (Stage.VALIDATOR, ledger), (Stage.DEPLOY, elsewhere)):
        course.ledger = door
        await course.tell(("stage.started", stage, {}))

        assert (await ledger.runs.current(VTID)).view.stage is stage
        assert (await elsewhere.runs.current(VTID)).view.stage is stage
    await elsewhere.close()


async def test_an_answer_is_read_once_while_nothing_changes(sqlite_url: str) -> None:
    ledger = await Ledger.open(sqlite_url)
    await started(ledger)

    assert await ledger.runs.current(VTID) is await ledger.runs.current(VTID)
    await ledger.close()
