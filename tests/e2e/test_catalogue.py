"""The catalogue is complete, and says only what the domain knows. No stack is needed for that."""

from dataclasses import replace

import pytest

from vtid.cli.scenarios import CATALOGUE, Scenario
from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.promise import EFFECTS, compare
from vtid.cli.scenarios.seen import Seen, log_is_whole, offered_once_each
from vtid.domain.events import EVENT_TYPES
from vtid.domain.failures import FAILURES
from vtid.domain.stages import Stage
from vtid.domain.task import TaskStatus

PROMISED = [
    "happy-path",
    "nobody-picks-up",
    "two-workers-one-order",
    "worker-dies-mid-work",
    "zombie-late-result",
    "worker-done-but-hung",
    "worker-reports-failure",
    "worker-lies-no-pr",
    "empty-diff",
    "wrong-vtid-in-pr",
    "denied-path",
    "spec-changed-while-running",
    "approval-void-after-edit",
    "checks-stay-red",
    "checks-never-registered",
    "head-moves-after-validate",
    "merge-answer-lost",
    "deploy-run-fails",
    "old-revision-serves",
    "traffic-at-ten-percent",
    "secret-missing",
    "cancel-while-working",
    "disarmed-then-armed",
    "start-twice",
    "rescue-retry",
    "rescue-adopt",
    "rescue-abandon",
    "temporal-restarts",
    "pr-from-fork",
    "check-skipped",
    "checks-on-page-two",
    "check-flips-before-merge",
    "base-moves",
    "merge-conflict",
    "merge-refused-by-policy",
    "deploy-run-missing",
    "deploy-run-zero-jobs",
    "deploy-never-ends",
    "revision-not-ready",
    "traffic-pinned",
    "label-lies",
    "template-shows-new-serving-old",
    "env-missing",
    "version-endpoint-html",
    "version-endpoint-revision-name",
    "queued-deploys-collapse",
    "older-deploy-finishes-late",
    "second-service-fails",
    "rollback-then-verify",
    "rollback-held-by-a-pin",
    "github-502-storm",
    "github-rate-limited",
    "github-secondary-limit",
    "github-bad-credentials",
    "cloud-run-503",
    "cloud-run-black-hole",
    "orchestrator-killed-at-every-step",
    "merge-queue",
    "merge-queue-drops",
    "merge-queue-without-trigger",
    "cancel-in-the-queue",
]


def test_every_promised_scenario_exists() -> None:
    assert set(PROMISED) <= set(CATALOGUE)


@pytest.mark.parametrize("scenario", CATALOGUE.values(), ids=lambda scenario: scenario.name)
def test_a_promise_names_only_what_the_domain_knows(scenario: Scenario) -> None:
    promise = scenario.promise

    assert promise.code is None or promise.code in FAILURES
    assert promise.stage is None or promise.stage in set(Stage)
    assert set(promise.effects) <= set(EFFECTS)
    assert set(promise.events) <= set(EVENT_TYPES)


@pytest.mark.parametrize("scenario", CATALOGUE.values(), ids=lambda scenario: scenario.name)
def test_only_a_completed_run_may_have_been_proven_and_only_a_blocked_one_offers_moves(
    scenario: Scenario,
) -> None:
    promise = scenario.promise

    assert (promise.code is None) == (promise.status is TaskStatus.COMPLETED)
    assert bool(promise.moves) == (promise.status is TaskStatus.BLOCKED)


def test_a_promise_that_is_not_kept_is_told_in_words() -> None:
    run = {"status": "blocked", "stage": "DEPLOY", "outcome": None, "failure": {"code": "PROBE_FAILED"}}
    merged_twice = [{"path": "/api/v3/repos/acme/shop/pulls/1/merge", "effect": "merge"}] * 2

    result = compare(
        CATALOGUE["happy-path"], replace(Seen(), run=_whole(run), journal=merged_twice), None, 1.0
    )

    assert not result.agree
    assert "status: promised completed, seen blocked" in result.why
    assert "merge: promised 1, seen 2" in result.why


def test_an_event_that_is_missing_or_doubled_is_noticed() -> None:
    first, second, third = (_event(seq) for seq in (1, 2, 3))
    run = {"vtid": "VTID-00001", "run_id": "r"}

    assert not log_is_whole(Seen(run=run, events=(first, third)))
    assert not log_is_whole(Seen(run=run, events=(first, second, second)))


def test_an_offer_that_is_told_twice_is_noticed() -> None:
    offer = {"type": "work_order.offered", "run_id": "r", "data": {"order_id": "a", "offer": 1}}
    of_next_run = {**offer, "run_id": "s", "data": {"order_id": "b", "offer": 1}}

    assert offered_once_each(Seen(events=(offer, of_next_run)))
    assert not offered_once_each(Seen(events=(offer, offer)))
    assert not offered_once_each(Seen(events=(offer, {**of_next_run, "run_id": "r"})))


def _event(seq: int) -> Json:
    at = "2026-01-01T00:00:00.000Z"
    core = {"run_id": "r", "vtid": "VTID-00001", "type": "plan.made", "stage": None}
    return core | {"seq": seq, "at": at, "actor": "system", "data": {}}


def _whole(run: Json) -> Json:
    return {
        "run_id": "r",
        "vtid": "VTID-00001",
        "stages": [],
        "verdict": None,
        "proof": {"complete": False},
    } | run
