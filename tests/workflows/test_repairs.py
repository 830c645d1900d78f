"""What a verdict finds wrong goes back to a worker, as often as policy allows, and then to a person."""

from dataclasses import replace

from tests.workflows.conftest import Story
from tests.workflows.world import HEAD, NEXT_HEAD
from vtid.domain.change import CheckState
from vtid.domain.environment import Policy
from vtid.domain.errors import Denied
from vtid.domain.stages import Move, Stage, StageStatus
from vtid.domain.task import TaskStatus

R, G = CheckState.RED, CheckState.GREEN
URL = "https://github.test/acme/shop/pull/7"


async def mend(story: Story, nth: int) -> None:
    """The next worker pushes to the pull request that is there, and hands its new head in."""
    terms = await story.claim(f"w{nth}", nth=nth)
    head = NEXT_HEAD if nth % 2 else HEAD
    story.github.pulls[7] = replace(story.github.pulls[7], head_sha=head)
    await story.hand_in(terms, f"w{nth}", head_sha=head)


async def test_red_checks_go_back_to_a_worker_who_mends_them(story: Story) -> None:
    story.github.check_states = [R, G]
    await story.start()
    await story.work_honestly()
    await mend(story, 1)

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert story.ledger.told().count("repair.ordered") == 1
    assert "run.blocked" not in story.ledger.told()
    assert view.evidence["observed"]["head_sha"] == NEXT_HEAD


async def test_a_repair_order_says_what_to_mend_and_where(story: Story) -> None:
    story.github.check_states = [R, G]
    await story.start()
    await story.work_honestly()
    await story.until(lambda: len(story.ledger.offers) == 2)

    order = story.ledger.offers[1]
    assert (order.kind, order.branch) == ("repair", "claude/vtid-01227-x")
    assert order.repair is not None
    assert (order.repair.round, order.repair.rounds, order.repair.pr_url) == (1, 2, URL)
    (finding,) = order.repair.findings
    assert (finding.name, finding.says, finding.log) == ("ci", "red", "ci: 1 failed")


async def test_while_it_is_mended_the_task_is_in_progress_and_the_view_says_why(story: Story) -> None:
    story.github.check_states = [R, G]
    await story.start()
    await story.work_honestly()
    await story.until(lambda: len(story.ledger.offers) == 2)
    await story.until(lambda: story.ledger.view().stage is Stage.WORKER)

    view = story.ledger.view()
    assert view.status is TaskStatus.IN_PROGRESS
    assert view.of(Stage.VALIDATOR).status is StageStatus.PENDING
    assert (view.repair or {})["code"] == "CHECKS_FAILED"
    assert "log" not in (view.repair or {})["findings"][0]


async def test_checks_that_stay_red_block_after_the_last_round(story: Story) -> None:
    story.github.check_states = [R]
    await story.start()
    await story.work_honestly()
    await mend(story, 1)
    await mend(story, 2)
    await story.until_told("run.blocked")

    view = story.ledger.view()
    assert (view.stage, (view.failure or {})["code"]) == (Stage.VALIDATOR, "CHECKS_FAILED")
    assert story.ledger.told().count("repair.ordered") == 2
    assert story.github.merges == 0


async def test_without_rounds_a_person_decides_at_once(story: Story) -> None:
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [R]
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")

    assert len(story.ledger.offers) == 1


async def test_what_policy_does_not_call_repairable_blocks(story: Story) -> None:
    story.policy = Policy(deny_paths=("secrets/**",))
    story.github.files = ("secrets/prod.env",)
    await story.start()
    await story.work_honestly()
    await story.until_told("run.blocked")

    assert "repair.ordered" not in story.ledger.told()


async def test_a_rule_that_policy_calls_repairable_is_mended(story: Story) -> None:
    story.policy = Policy(deny_paths=("secrets/**",), repair_rules=("VAL-RULE-009",))
    story.github.files = ("secrets/prod.env",)
    await story.start()
    await story.work_honestly()
    terms = await story.claim("w1", nth=1)
    story.github.files = ("services/shop/app.py",)
    story.github.pulls[7] = replace(story.github.pulls[7], head_sha=NEXT_HEAD)
    await story.hand_in(terms, "w1", head_sha=NEXT_HEAD)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert story.ledger.offers[1].repair is not None
    assert story.ledger.offers[1].repair.findings[0].rule == "VAL-RULE-009"


async def test_what_a_person_adopted_is_theirs_to_mend(story: Story) -> None:
    story.github.check_states = [R]
    await story.start()
    await story.fail(await story.claim(), "no", retryable=False)
    story.github.open_pull(branch="ann/fix")
    await story.decide(Move.ADOPT, pr_url=URL)
    await story.until(lambda: story.ledger.told().count("run.blocked") == 2)

    assert (story.ledger.view().failure or {})["code"] == "CHECKS_FAILED"
    assert "repair.ordered" not in story.ledger.told()


async def test_the_head_that_is_to_be_mended_is_no_evidence_of_a_repair(story: Story) -> None:
    """The worker of the repair is lost, and the pull request still shows the red head: that is no good work."""
    story.github.check_states = [R, G]
    await story.start()
    await story.work_honestly()
    await story.claim("w1", nth=1)
    await story.until_told("attempt.ended")
    await mend(story, 2)

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert story.ledger.told().count("verdict.reached") == 2


async def test_a_repair_that_was_pushed_and_never_handed_in_is_found(story: Story) -> None:
    story.github.check_states = [R, G]
    await story.start()
    await story.work_honestly()
    await story.claim("w1", nth=1)
    await story.until(lambda: story.ledger.told().count("step.started lease") >= 2)
    story.github.pulls[7] = replace(story.github.pulls[7], head_sha=NEXT_HEAD)

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert view.evidence["observed"]["source"] == "found"


async def test_a_log_that_cannot_be_read_keeps_nobody_from_mending(story: Story) -> None:
    story.github.check_states = [R, G]
    story.github.log_error = Denied("GITHUB", "no right to read logs", status=403)
    await story.start()
    await story.work_honestly()
    await mend(story, 1)

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert story.ledger.offers[1].repair is not None
    (finding,) = story.ledger.offers[1].repair.findings
    assert finding.log_problem == "no right to read logs"


async def test_a_retry_gives_every_round_anew(story: Story) -> None:
    story.policy = Policy(repair_rounds=1)
    story.github.check_states = [R]
    await story.start()
    await story.work_honestly()
    await mend(story, 1)
    await story.until_told("run.blocked")
    await story.decide(Move.RETRY)
    await story.until(lambda: len(story.ledger.offers) == 3)
    story.github.check_states = [G]
    await mend(story, 2)

    assert (await story.ends()).status is TaskStatus.COMPLETED


async def test_the_late_answer_of_a_lost_attempt_is_no_repair(story: Story) -> None:
    """It is open and belongs to this VTID, but what is to be mended is the pull request that was judged."""
    story.github.check_states = [R, G]
    await story.start()
    await story.claim("w0")
    await story.until_told("attempt.ended")
    await story.work_honestly(nth=1)
    await story.claim("w2", nth=2)
    story.github.open_pull(9, branch=story.ledger.offers[0].branch, head_sha="d" * 40)
    await story.until(lambda: story.ledger.told().count("attempt.ended") == 2)
    await mend(story, 3)

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert view.links["pr"] == URL
    assert "run.blocked" not in story.ledger.told()


async def test_a_second_pull_request_for_a_repair_stands_against_the_first(story: Story) -> None:
    """The branch that is mended is no branch of a lost attempt: what is open there still counts."""
    story.github.check_states = [R, G]
    await story.start()
    await story.work_honestly()
    await story.claim("silent", nth=1)
    await story.until_told("attempt.ended")
    terms = await story.claim("w2", nth=2)
    other = story.github.open_pull(8, branch="claude/vtid-01227-y", head_sha=NEXT_HEAD)
    await story.hand_in(terms, "w2", pr_url=other.url, head_sha=NEXT_HEAD)
    await story.until_told("run.blocked")

    failure = story.ledger.view().failure or {}
    assert "a second open pull request of this VTID exists" in failure["message"]
    assert story.github.merges == 0
