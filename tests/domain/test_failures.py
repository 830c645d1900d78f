"""The catalogue, held against the design's table of failures."""

import pytest

from tests.domain.examples import NOON
from vtid.domain.failures import API_CODES, FAILURES, MAX_MESSAGE, Cause, RunStopped, failure_of
from vtid.domain.stages import Move, Outcome, Stage

P, W, V, D = Stage
F, E, T, C = Outcome.FAILURE, Outcome.ERROR, Outcome.TIMEOUT, Outcome.CANCELLATION
BLOCKS, FINAL = True, False

# Design of the run, 3.3: code -> (stage, repairable, outcome). None: the design does not tell the outcome.
DESIGNED: dict[str, tuple[Stage | None, bool, Outcome | None]] = {
    "SPEC_MISSING": (P, FINAL, None),
    "SPEC_NOT_APPROVED": (P, FINAL, None),
    "SPEC_HASH_MISMATCH": (P, BLOCKS, None),
    "TASK_COMPLETED": (P, FINAL, None),
    "DISPATCH_FAILED": (W, BLOCKS, E),
    "PICKUP_TIMEOUT": (W, BLOCKS, T),
    "WORKER_LOST": (W, BLOCKS, E),
    "WORKER_TIMEOUT": (W, BLOCKS, T),
    "WORKER_FAILED": (W, BLOCKS, F),
    "EVIDENCE_TIMEOUT": (W, BLOCKS, T),
    "EVIDENCE_REFUSED": (W, BLOCKS, F),
    "VALIDATION_FAILED": (V, BLOCKS, None),
    "HEAD_MOVED": (V, BLOCKS, None),
    "CHECKS_FAILED": (V, BLOCKS, None),
    "CHECKS_MISSING": (V, BLOCKS, None),
    "CHECKS_TIMEOUT": (V, BLOCKS, None),
    "SCOPE_VIOLATION": (V, BLOCKS, None),
    "MERGE_CONFLICT": (D, BLOCKS, None),
    "MERGE_REFUSED": (D, BLOCKS, None),
    "DEPLOY_RUN_NOT_FOUND": (D, BLOCKS, None),
    "DEPLOY_RUN_FAILED": (D, BLOCKS, None),
    "DEPLOY_TIMEOUT": (D, BLOCKS, None),
    "REVISION_NOT_READY": (D, BLOCKS, None),
    "WRONG_COMMIT_SERVING": (D, BLOCKS, None),
    "TRAFFIC_NOT_SHIFTED": (D, BLOCKS, None),
    "SECRETS_MISSING": (D, BLOCKS, None),
    "ENVIRONMENT_MISMATCH": (D, BLOCKS, None),
    "MIGRATIONS_PENDING": (D, BLOCKS, None),
    "PROBE_FAILED": (D, BLOCKS, None),
    "PROOF_INCOMPLETE": (D, BLOCKS, None),
    "ROLLED_BACK": (D, BLOCKS, None),
    "GITHUB_DENIED": (None, BLOCKS, E),
    "GITHUB_UNAVAILABLE": (None, BLOCKS, E),
    "CLOUD_RUN_DENIED": (None, BLOCKS, E),
    "CLOUD_RUN_UNAVAILABLE": (None, BLOCKS, E),
    "CANCELLED": (None, FINAL, C),
    "ABANDONED": (None, FINAL, F),
    "ENGINE_TERMINATED": (None, FINAL, None),
}
DESIGNED_API_CODES = {
    "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "VALIDATION", "STALE_ETAG", "IDEMPOTENCY_REUSED", "LEASE_LOST",
    "ALREADY_CLAIMED", "EXECUTION_DISARMED", "ILLEGAL_TRANSITION", "MOVE_NOT_OFFERED", "LEDGER_UNAVAILABLE",
    "TEMPORAL_UNAVAILABLE", "TOO_LARGE", "RATE_LIMITED",
}  # fmt: skip
ADDED_API_CODES = {"PROOF_KEY_MISSING"}


def test_the_catalogue_has_the_codes_of_the_design_and_what_we_added() -> None:
    assert set(FAILURES) == set(DESIGNED)
    assert set(API_CODES) == DESIGNED_API_CODES | ADDED_API_CODES


@pytest.mark.parametrize("code", DESIGNED)
def test_each_code_does_what_the_design_says(code: str) -> None:
    stage, repairable, outcome = DESIGNED[code]
    row = FAILURES[code]

    assert (row.code, row.stage, row.repairable) == (code, stage, repairable)
    assert outcome in (None, row.outcome)


@pytest.mark.parametrize("code", FAILURES)
def test_each_code_tells_what_it_means_and_what_to_do(code: str) -> None:
    row = FAILURES[code]

    assert row.says
    assert row.advice
    assert row.outcome is not Outcome.SUCCESS
    assert row.retryable == (row.outcome in (E, T))


@pytest.mark.parametrize("code", FAILURES)
def test_only_a_repairable_failure_offers_moves(code: str) -> None:
    failure = failure_of(RunStopped(code), Stage.WORKER, "lease", 2, NOON)

    offered = tuple(move for move in Move if move is not Move.SKIP)
    assert failure.moves == (offered if FAILURES[code].repairable else ())
    assert failure.message == FAILURES[code].says
    assert (failure.step, failure.attempt, failure.since) == ("lease", 2, NOON)


def test_skip_is_offered_where_a_rule_can_be_skipped_and_says_which() -> None:
    stop = RunStopped("SCOPE_VIOLATION", skippable=("VAL-RULE-009",))
    failure = failure_of(stop, Stage.VALIDATOR, None, 1, NOON)

    assert failure.moves == tuple(Move)
    assert failure.skippable == ("VAL-RULE-009",)


def test_a_failure_carries_its_causes_and_a_bounded_message() -> None:
    causes = (Cause("Unavailable", "502"),)
    failure = failure_of(
        RunStopped("GITHUB_UNAVAILABLE", "x" * 50_000, causes=causes), Stage.DEPLOY, None, None, NOON
    )

    assert failure.causes == causes
    assert len(failure.message) == MAX_MESSAGE


def test_a_code_outside_the_catalogue_cannot_be_used() -> None:
    with pytest.raises(KeyError):
        RunStopped("SOMETHING_ELSE")


def test_a_code_means_a_run_or_an_answer_of_the_api_and_never_both() -> None:
    assert not set(FAILURES) & set(API_CODES)
    assert all(400 <= row.status < 600 for row in API_CODES.values())
