"""Facts in which everything is right; a test changes the one that it is about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from vtid.domain.change import ChangedFiles, Check, Checks, CheckState, PullRequest
from vtid.domain.environment import ChecksPolicy, Environment, Policy, Service
from vtid.domain.evidence import EvidenceSource
from vtid.domain.verdict import Facts, Pinned, TaskFacts

VTID = "VTID-01227"
HEAD = "a" * 40
OTHER_HEAD = "c" * 40
SPEC = "5" * 64
RUN = "run-1"
REPOSITORY = "acme/shop"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

SHOP = Service("shop", "shop", ("services/shop/**",))
ENVIRONMENT = Environment(
    name="dev",
    project="acme",
    region="here",
    repository=REPOSITORY,
    services=(SHOP,),
    checks=ChecksPolicy(required=("ci",)),
    policy=Policy(deny_paths=("secrets/**",), max_files=3),
)
GREEN = Check("ci", CheckState.GREEN, "success", id=1)


def pull_request(**changes: Any) -> PullRequest:
    right = PullRequest(
        repository=REPOSITORY,
        number=7,
        url="https://github.test/acme/shop/pull/7",
        title=f"{VTID}: do it",
        branch="claude/vtid-01227-run-1-1",
        base="main",
        head_sha=HEAD,
        head_repository=REPOSITORY,
        is_open=True,
        draft=False,
        merged=False,
        created_at=NOON,
        vtids=(VTID,),
        mergeable=True,
    )
    return replace(right, **changes)


def task_facts(**changes: Any) -> TaskFacts:
    return replace(TaskFacts(VTID, "validating", RUN, SPEC, SPEC, SPEC), **changes)


def checks(*runs: Check, sha: str = HEAD, required: tuple[str, ...] = ("ci",)) -> Checks:
    return Checks(sha, runs, required)


def facts(**changes: Any) -> Facts:
    right = Facts(
        task=task_facts(),
        pull_request=pull_request(),
        files=ChangedFiles(("services/shop/app.py",), complete=True),
        checks=checks(GREEN),
    )
    return replace(right, **changes)


def pinned(**changes: Any) -> Pinned:
    right = Pinned(
        vtid=VTID,
        run_id=RUN,
        spec_hash=SPEC,
        repository=REPOSITORY,
        base="main",
        environment=ENVIRONMENT,
        evidence_source=EvidenceSource.HANDED_IN,
        evidence_sha=HEAD,
        worker_succeeded=True,
    )
    return replace(right, **changes)
