"""Steps on the deployment: what may still settle is looked at again, what cannot is told at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.deployments import Deployments
from activities.polling import NOT_READY
from tests.activities.looking import last_try, there, try_of
from tests.domain.examples import ENVIRONMENT, SHOP, VTID
from tests.workflows.world import MERGED, OLD, REPOSITORY, CloudRun, GitHub
from vtid.adapters.hosts import service_hosts
from vtid.domain.change import Ancestry, DeploymentClaim, DeployRun
from vtid.domain.commands.deployments import AwaitDeployRun, DispatchDeploy, ProveDeployment
from vtid.domain.deployment import DeploymentProof, Link, LinkState, LiveAnswer
from vtid.domain.environment import Service
from vtid.domain.errors import Denied, Missing, OutsideError, Unavailable

CONTAINS = "e" * 40
RUN = DeployRun(1, "https://github.test/run/1", MERGED, "push", "completed", "success", 1)


def steps(github: GitHub | None = None, cloud_run: CloudRun | None = None) -> Deployments:
    world = cloud_run or CloudRun()
    return Deployments(github or GitHub(), world, world)


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def awaited(since: datetime | None = None, run_id: int | None = None) -> AwaitDeployRun:
    return AwaitDeployRun(REPOSITORY, ENVIRONMENT, MERGED, 180, since or ago(seconds=0), run_id)


def proving(run: DeployRun = RUN, **changes: Any) -> ProveDeployment:
    return replace(ProveDeployment(REPOSITORY, ENVIRONMENT, (SHOP,), MERGED, "main", run), **changes)


def says_not_ready(env: Any, step: Any, command: Any) -> str:
    with pytest.raises(ApplicationError) as told:
        env.run(step, command)
    assert told.value.type == NOT_READY
    return str(told.value.message)


def link_of(proof: DeploymentProof, name: str) -> Link:
    return next(link for link in proof.links if link.name == name)


class Runs(GitHub):
    """A code host with just these deploy runs."""

    def __init__(self, *runs: DeployRun) -> None:
        super().__init__()
        self._runs = runs

    def deploy_runs(self, repository: str, workflow: str, event: str, sha: str) -> tuple[DeployRun, ...]:
        return self._runs

    def deploy_run(self, repository: str, run_id: int) -> DeployRun:
        return self._runs[0]


class Strangers(GitHub):
    """A code host that knows no commit."""

    def compare(self, repository: str, ours: str, other: str) -> Ancestry:
        raise Missing("GITHUB", "no commit found", status=404)


def test_a_deploy_that_was_dispatched_before_is_not_dispatched_again() -> None:
    github = GitHub()
    dispatch = DispatchDeploy(VTID, REPOSITORY, ENVIRONMENT, MERGED, "nonce", ago(seconds=0))
    runs = [try_of().run(steps(github).dispatch_deploy, dispatch) for _ in range(3)]

    assert {there(run).id for run in runs} == {1}
    assert github.dispatches == 1


@pytest.mark.parametrize("conclusion", ["success", "failure", "cancelled"])
def test_a_deploy_run_that_ended_is_a_result_however_it_ended(conclusion: str) -> None:
    github = Runs(replace(RUN, conclusion=conclusion))

    assert there(try_of().run(steps(github).await_deploy_run, awaited())).conclusion == conclusion


def test_a_running_deploy_is_looked_at_again_until_the_last_look() -> None:
    github = Runs(replace(RUN, status="in_progress", conclusion=None))

    assert says_not_ready(try_of(), steps(github).await_deploy_run, awaited()).endswith("is in_progress")
    assert there(last_try().run(steps(github).await_deploy_run, awaited())).status == "in_progress"


def test_a_deploy_run_that_never_appears_is_told_after_its_time() -> None:
    says_not_ready(try_of(), steps(Runs()).await_deploy_run, awaited())
    late = awaited(since=ago(seconds=200))

    assert try_of().run(steps(Runs()).await_deploy_run, late) is None


NEWER = replace(RUN, id=2, head_sha=CONTAINS)


class Queued(Runs):
    """Ours is as given; `newer_runs` came after it."""

    def deploy_run(self, repository: str, run_id: int) -> DeployRun:
        return next(run for run in (*self._runs, *self.newer_runs) if run.id == run_id)

    def compare(self, repository: str, ours: str, other: str) -> Ancestry:
        return Ancestry.DESCENDANT if other == CONTAINS else Ancestry.DIVERGED


@pytest.mark.parametrize("ours", [(replace(RUN, conclusion="cancelled"),), ()])
def test_a_run_that_a_newer_one_replaced_is_followed_to_the_one_that_contains_our_commit(
    ours: tuple[DeployRun, ...],
) -> None:
    github = Queued(*ours)
    github.newer_runs = (replace(RUN, id=3, head_sha=OLD), NEWER)

    assert there(try_of().run(steps(github).await_deploy_run, awaited())) == NEWER


def test_a_cancelled_run_that_nothing_replaced_stays_cancelled() -> None:
    github = Queued(replace(RUN, conclusion="cancelled"))
    github.newer_runs = (replace(NEWER, conclusion="cancelled"), replace(RUN, id=3, head_sha=OLD))

    assert there(try_of().run(steps(github).await_deploy_run, awaited())).conclusion == "cancelled"


class Dated(Queued):
    """GitHub lists only the runs that were created since then."""

    def deploy_runs_since(
        self, repository: str, workflow: str, event: str, branch: str, since: datetime
    ) -> tuple[DeployRun, ...]:
        return tuple(run for run in self.newer_runs if run.created_at is not None and run.created_at >= since)


def test_a_run_that_was_replaced_long_before_we_look_is_followed_as_well() -> None:
    yesterday = ago(days=1)
    github = Dated(replace(RUN, conclusion="cancelled", created_at=yesterday))
    newer = replace(NEWER, created_at=yesterday + timedelta(minutes=1))
    github.newer_runs = (newer,)

    assert there(try_of().run(steps(github).await_deploy_run, awaited())) == newer


def test_the_run_that_we_dispatched_is_read_by_its_id() -> None:
    assert there(try_of().run(steps().await_deploy_run, awaited(run_id=41))).id == 41


def test_what_serves_and_answers_our_commit_is_proven() -> None:
    proof = try_of().run(steps().prove_deployment, proving())

    assert proof.complete
    assert [link.name for link in proof.links] == [
        "commit", "actions_run", "image_digest", "revision", "traffic", "environment", "live_answer",
    ]  # fmt: skip


def test_every_service_of_the_change_is_proven() -> None:
    mail = replace(SHOP, name="mail", cloud_run="mail")
    proof = try_of().run(steps().prove_deployment, proving(services=(SHOP, mail)))

    assert [link.service for link in proof.links if link.name == "live_answer"] == ["shop", "mail"]


def test_traffic_that_may_still_shift_is_looked_at_again_until_the_last_look() -> None:
    old = steps(cloud_run=CloudRun(serves=OLD))

    assert says_not_ready(try_of(), old.prove_deployment, proving()).startswith("not proven yet")
    assert last_try().run(old.prove_deployment, proving()).code == "WRONG_COMMIT_SERVING"


@pytest.mark.parametrize(
    "run",
    [
        replace(RUN, head_sha=OLD),
        replace(RUN, conclusion="failure"),
        replace(RUN, jobs=0),
        replace(RUN, jobs=None),
    ],
)
def test_a_deploy_run_that_is_not_ours_or_did_nothing_never_settles(run: DeployRun) -> None:
    proof = try_of().run(steps().prove_deployment, proving(run))

    assert link_of(proof, "actions_run").state is LinkState.CONTRADICTED
    assert proof.code == "DEPLOY_RUN_FAILED"


def test_a_missing_secret_is_told_at_once() -> None:
    needy = replace(SHOP, required_secrets=("API_KEY",))

    assert try_of().run(steps().prove_deployment, proving(services=(needy,))).code == "SECRETS_MISSING"


def test_a_commit_that_github_does_not_know_is_not_on_the_base() -> None:
    proof = try_of().run(steps(Strangers()).prove_deployment, proving())

    assert link_of(proof, "commit").state is LinkState.CONTRADICTED
    assert proof.code == "WRONG_COMMIT_SERVING"


PAGES = Service("pages", host="http_version", url="https://pages.test")


class Answering:
    """A world in which this service can only be asked for its version."""

    def __init__(self, *commits: str) -> None:
        self._commits = cycle(commits)
        self.hosts = service_hosts(
            "http://127.0.0.1:9", self
        )  # nobody listens there: Cloud Run must not be asked

    def look(self, uri: str, path: str, auth: str = "none") -> LiveAnswer:
        return LiveAnswer(uri + path, next(self._commits), 200)


def proof_of_pages(github: GitHub, run: DeployRun | None, *commits: str) -> DeploymentProof:
    world = Answering(*commits)
    step = Deployments(github, world.hosts, world).prove_deployment
    made: DeploymentProof = last_try().run(step, proving(services=(PAGES,), deploy_run=run))
    return made


def test_a_service_that_only_answers_is_proven_by_its_run_and_its_answers() -> None:
    proof = proof_of_pages(GitHub(), RUN, MERGED)

    assert proof.complete
    assert [link.name for link in proof.links] == ["commit", "actions_run", "live_answer"]


@pytest.mark.parametrize(
    ("run", "commits", "code"),
    [
        (replace(RUN, conclusion="failure"), (MERGED,), "DEPLOY_RUN_FAILED"),
        (replace(RUN, jobs=0), (MERGED,), "DEPLOY_RUN_FAILED"),
        (None, (MERGED,), "DEPLOY_RUN_NOT_FOUND"),
        (RUN, (OLD,), "WRONG_COMMIT_SERVING"),
        (RUN, (MERGED, OLD), "TRAFFIC_NOT_SHIFTED"),
    ],
)
def test_without_the_claim_or_the_answers_it_is_not_proven(
    run: DeployRun | None, commits: tuple[str, ...], code: str
) -> None:
    proof = proof_of_pages(GitHub(), run, *commits)

    assert (proof.complete, proof.code) == (False, code)


def test_answers_older_than_the_run_that_is_claimed_do_not_agree_with_it() -> None:
    """Our run was cancelled for a newer one: it says that the newer commit was deployed, and ours answers."""
    newer = replace(RUN, head_sha=CONTAINS)

    disagree = proof_of_pages(Contained(), newer, MERGED)
    agree = proof_of_pages(Contained(), newer, CONTAINS)

    assert (disagree.complete, disagree.code) == (False, "WRONG_COMMIT_SERVING")
    assert agree.complete
    assert link_of(agree, "live_answer").match == "contains"


class Silent(Answering):
    """Nobody answers there."""

    looks = 0

    def look(self, uri: str, path: str, auth: str = "none") -> LiveAnswer:
        self.looks += 1
        return LiveAnswer(uri + path, None, None, "no answer in time")


def test_a_service_that_does_not_answer_is_not_waited_for_again_and_again() -> None:
    world = Silent()
    step = Deployments(GitHub(), world.hosts, world).prove_deployment

    proof = last_try().run(step, proving(services=(PAGES,)))

    assert (proof.code, world.looks) == ("PROBE_FAILED", 1)


class Contained(GitHub):
    """CONTAINS comes after the merged commit."""

    def compare(self, repository: str, ours: str, other: str) -> Ancestry:
        order = (MERGED, CONTAINS)
        if ours not in order or other not in order:
            return Ancestry.SAME
        before, after = order.index(ours), order.index(other)
        return (
            Ancestry.DESCENDANT if after > before else Ancestry.ANCESTOR if after < before else Ancestry.SAME
        )


CLAIM = DeploymentClaim("https://github.test/deployment/1", MERGED, "github-actions[bot]", "success")


def proof_beside(claims: tuple[DeploymentClaim, ...] | OutsideError, run: DeployRun = RUN) -> DeploymentProof:
    github = GitHub()
    github.claims = claims
    made: DeploymentProof = last_try().run(steps(github).prove_deployment, proving(run))
    return made


def test_what_others_say_of_the_deployment_stands_beside_its_run() -> None:
    proof = proof_beside((CLAIM,))

    assert proof.complete
    (told,) = link_of(proof, "actions_run").raw["deployments"]
    assert (told["by"], told["state"]) == ("github-actions[bot]", "success")


@pytest.mark.parametrize("state", ["failure", "error"])
def test_a_deployment_that_others_say_failed_is_no_proof_though_all_looks_fine(state: str) -> None:
    proof = proof_beside((CLAIM, replace(CLAIM, by="canary", state=state, description="too slow")))

    assert (proof.complete, proof.code) == (False, "DEPLOY_RUN_FAILED")
    assert proof.open_link is not None
    assert f"canary says {state} of its deployment (too slow)" in proof.open_link.says
    assert link_of(proof, "live_answer").state is LinkState.PROVEN


@pytest.mark.parametrize("state", ["inactive", "in_progress", "queued", "pending"])
def test_a_deployment_of_which_nobody_says_an_end_holds_nothing_up(state: str) -> None:
    assert proof_beside((replace(CLAIM, state=state),)).complete


def test_claims_never_prove() -> None:
    proof = proof_beside((CLAIM,), replace(RUN, conclusion="failure"))

    assert link_of(proof, "actions_run").state is LinkState.CONTRADICTED


def test_claims_that_nobody_may_read_are_told_as_that() -> None:
    proof = proof_beside(Denied("GITHUB", "Resource not accessible", status=403))

    assert proof.complete
    assert "could not be read" in link_of(proof, "actions_run").says


def test_claims_out_of_reach_are_asked_for_again() -> None:
    with pytest.raises(Unavailable):
        proof_beside(Unavailable("GITHUB", "502"))
