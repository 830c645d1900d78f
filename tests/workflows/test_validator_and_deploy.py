"""What stops a change on its way to production, and what cannot stop it."""

from dataclasses import replace

from tests.workflows.conftest import Story
from tests.workflows.world import MERGED, NEXT_HEAD, OLD
from vtid.domain.change import CheckState, MergeAnswer, MergeKind
from vtid.domain.environment import Deploy, Policy
from vtid.domain.errors import Denied
from vtid.domain.stages import Move, Stage, StageStatus
from vtid.domain.task import TaskStatus


async def blocked_with(story: Story) -> str:
    await story.until_told("run.blocked")
    failure = story.ledger.view().failure
    assert failure is not None
    return str(failure["code"])


async def test_red_checks_are_never_merged(story: Story) -> None:
    story.policy = Policy(repair_rounds=0)
    story.github.check_states = [CheckState.PENDING, CheckState.RED]
    await story.start()
    await story.work_honestly()

    assert await blocked_with(story) == "CHECKS_FAILED"
    assert story.github.merges == 0


async def test_a_denied_path_is_told_before_anybody_waits_for_ci(story: Story) -> None:
    story.policy = Policy(deny_paths=("secrets/**",))
    story.github.files = ("services/shop/app.py", "secrets/prod.env")
    story.github.check_states = [CheckState.PENDING]
    await story.start()
    await story.work_honestly()

    assert await blocked_with(story) == "SCOPE_VIOLATION"
    assert "step.started await_checks" not in story.ledger.told()


async def test_an_empty_diff_is_no_work(story: Story) -> None:
    story.github.files = ()
    await story.start()
    await story.work_honestly()

    assert await blocked_with(story) == "VALIDATION_FAILED"


async def test_a_pull_request_of_another_vtid_is_not_ours(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    story.github.open_pull(vtids=("VTID-09999",))
    await story.hand_in(terms)

    assert await blocked_with(story) == "VALIDATION_FAILED"


async def test_a_spec_that_changed_meanwhile_is_not_merged(story: Story) -> None:
    await story.start()
    terms = await story.claim()
    story.github.open_pull()
    story.ledger.spec_hash = "f" * 64
    await story.hand_in(terms)

    assert await blocked_with(story) == "SPEC_HASH_MISMATCH"
    assert story.github.merges == 0


async def test_a_head_that_moves_under_the_merge_is_validated_again(story: Story) -> None:
    story.github.moves_to = NEXT_HEAD
    await story.start()
    await story.work_honestly()

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert view.evidence["observed"]["head_sha"] == NEXT_HEAD
    assert story.ledger.told().count("verdict.reached") == 2


async def test_a_head_that_never_rests_blocks(story: Story) -> None:
    story.github.merge_answers = [MergeAnswer(MergeKind.CHECKS_CHANGED, reason="ci went red")] * 9
    await story.start()
    await story.work_honestly()

    assert await blocked_with(story) == "HEAD_MOVED"
    assert story.ledger.told().count("verdict.voided") == 4


async def test_production_that_serves_the_old_commit_is_not_deployed(story: Story) -> None:
    story.cloud_run.serves = OLD
    await story.start()
    await story.work_honestly()

    assert await blocked_with(story) == "WRONG_COMMIT_SERVING"
    assert story.github.reports == [False]
    story.cloud_run.serves = MERGED
    await story.decide(Move.RETRY)
    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert story.github.merges == 1
    assert story.github.reports == [False, True]


async def test_a_failed_deploy_run_is_told_with_its_address(story: Story) -> None:
    story.github.deploy_conclusion = "failure"
    await story.start()
    await story.work_honestly()

    assert await blocked_with(story) == "DEPLOY_RUN_FAILED"
    assert story.ledger.view().links["deploy_run"] == "https://github.test/run/1"


async def test_a_dispatched_deploy_is_started_once(story: Story) -> None:
    story.deploy = Deploy(event="workflow_dispatch")
    await story.start()
    await story.work_honestly()

    assert (await story.ends()).status is TaskStatus.COMPLETED
    assert story.github.dispatches == 1


async def test_without_automerge_the_run_waits_for_a_person_and_sees_the_merge(story: Story) -> None:
    story.automerge = False
    await story.start()
    await story.work_honestly()
    await story.until_told("step.started await_merge")
    assert story.github.merges == 0
    pull = story.github.pulls[7]
    story.github.pulls[7] = replace(pull, merged=True, is_open=False, merge_sha=MERGED)

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert view.merged == MERGED
    assert story.github.merges == 0


async def test_a_change_without_a_service_has_nothing_to_deploy(story: Story) -> None:
    story.github.files = ("docs/readme.md",)
    await story.start()
    await story.work_honestly()

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert view.of(Stage.DEPLOY).status is StageStatus.SKIPPED
    assert view.merged == MERGED


async def test_a_change_that_is_merged_already_is_not_built_again(story: Story) -> None:
    story.github.open_pull(merged=True, is_open=False, merge_sha=MERGED)
    await story.start()

    view = await story.ends()
    assert view.status is TaskStatus.COMPLETED
    assert not story.ledger.offers
    assert view.of(Stage.WORKER).status is StageStatus.SKIPPED


async def test_policy_may_say_that_a_failure_ends_the_run(story: Story) -> None:
    story.policy = Policy(on_failure="fail")
    story.github.files = ()
    await story.start()
    await story.work_honestly()

    view = await story.ends()
    assert view.status is TaskStatus.REJECTED
    assert view.outcome == "failure"


async def test_refused_credentials_block_at_once_with_their_code(story: Story) -> None:
    story.github.error = Denied("GITHUB", "Bad credentials", status=401)
    await story.start()

    assert await blocked_with(story) == "GITHUB_DENIED"
    story.github.error = None
    await story.decide(Move.RETRY)
    await story.work_honestly()
    assert (await story.ends()).status is TaskStatus.COMPLETED
