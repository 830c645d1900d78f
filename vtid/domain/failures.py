"""The failure catalogue: every code a run can end or block with, and what to do about it.

Codes are API and are never renamed. GET /failure-codes serves this table and docs/failure-codes.md is
made from it.
"""

from dataclasses import dataclass
from datetime import datetime

from vtid.domain.stages import Move, Outcome, Stage

MAX_MESSAGE = 8_000  # characters; error texts travel in histories whose payloads are bounded


@dataclass(frozen=True)
class FailureCode:
    """One row of the catalogue.

    `stage` is None for codes that any stage may give. `repairable` codes block the run and offer moves;
    the others end it (or keep it from starting). `retryable` tells whether the same try may help later.
    """

    code: str
    stage: Stage | None
    repairable: bool
    outcome: Outcome
    says: str
    advice: str

    @property
    def retryable(self) -> bool:
        return self.outcome in (Outcome.ERROR, Outcome.TIMEOUT)


_P, _W, _V, _D = Stage.PLANNER, Stage.WORKER, Stage.VALIDATOR, Stage.DEPLOY
_FAIL, _ERR, _TIME, _CANC = Outcome.FAILURE, Outcome.ERROR, Outcome.TIMEOUT, Outcome.CANCELLATION

# fmt: off
_ROWS = (
    FailureCode("SPEC_MISSING",         _P, False, _FAIL, "the task has no spec", "put a spec, approve it, start again"),
    FailureCode("SPEC_NOT_APPROVED",    _P, False, _FAIL, "the spec is not approved", "approve the current spec, start again"),
    FailureCode("SPEC_HASH_MISMATCH",   _P, True,  _FAIL, "the spec is not the one that was approved or pinned at the start", "abandon this run, approve the current spec, start again; or restore the pinned text and retry"),
    FailureCode("TASK_COMPLETED",       _P, False, _FAIL, "the task is completed, which is final", "create a new task"),
    FailureCode("DISPATCH_FAILED",      _W, True,  _ERR,  "the work order could not be offered", "see the cause, then retry"),
    FailureCode("PICKUP_TIMEOUT",       _W, True,  _TIME, "no worker took the order", "start a worker (vtid order claim, vtid agent), then retry"),
    FailureCode("WORKER_LOST",          _W, True,  _ERR,  "the worker fell silent in every attempt", "look at the worker's own log, then retry; or adopt its pull request"),
    FailureCode("WORKER_TIMEOUT",       _W, True,  _TIME, "every attempt ran into its cap", "make the task smaller or the cap larger, then retry; or adopt"),
    FailureCode("WORKER_FAILED",        _W, True,  _FAIL, "the worker reported that it failed", "read its message, mend the spec or the worker, then retry"),
    FailureCode("EVIDENCE_TIMEOUT",     _W, True,  _TIME, "the worker lives but nothing moves, and GitHub has no pull request", "look at the worker, then retry; or adopt"),
    FailureCode("EVIDENCE_REFUSED",     _W, True,  _FAIL, "what the worker handed in is not what GitHub has", "compare claimed and observed, then retry; or adopt the right pull request"),
    FailureCode("VALIDATION_FAILED",    _V, True,  _FAIL, "at least one validator rule does not hold", "read the failed rules, mend the pull request, then retry"),
    FailureCode("HEAD_MOVED",           _V, True,  _FAIL, "the pull request's head kept moving after validation", "stop pushing to the branch, then retry"),
    FailureCode("CHECKS_FAILED",        _V, True,  _FAIL, "a required check is red on exactly this commit", "mend the change so that its checks are green, then retry"),
    FailureCode("CHECKS_MISSING",       _V, True,  _ERR,  "no check was ever registered for this commit, or a required one is missing", "see whether CI runs for this branch, then retry"),
    FailureCode("CHECKS_TIMEOUT",       _V, True,  _TIME, "the checks did not end in time", "look at the CI queue, then retry"),
    FailureCode("SCOPE_VIOLATION",      _V, True,  _FAIL, "the change touches paths that the environment's policy does not allow", "take these paths out of the change, then retry"),
    FailureCode("MERGE_CONFLICT",       _D, True,  _FAIL, "the pull request conflicts with its base", "update the branch, then retry"),
    FailureCode("MERGE_REFUSED",        _D, True,  _FAIL, "GitHub's rules or its merge queue refuse the merge", "read GitHub's reason (reviews, protection, the merge queue), then retry"),
    FailureCode("DEPLOY_RUN_NOT_FOUND", _D, True,  _ERR,  "no deploy run appeared on GitHub Actions for the merged commit", "check the workflow's name and trigger, then retry"),
    FailureCode("DEPLOY_RUN_FAILED",    _D, True,  _FAIL, "the deploy run failed or had no jobs, or somebody says on GitHub that its deployment failed", "read the run's log and what is said of its deployment, mend it, re-run it on GitHub, then retry"),
    FailureCode("DEPLOY_TIMEOUT",       _D, True,  _TIME, "the deploy run did not end in time", "look at the run on GitHub, then retry"),
    FailureCode("REVISION_NOT_READY",   _D, True,  _ERR,  "Cloud Run's revision or service is not ready", "read the revision's condition and log, then retry"),
    FailureCode("WRONG_COMMIT_SERVING", _D, True,  _FAIL, "production answers with another commit", "find out who deployed what, deploy this commit, then retry"),
    FailureCode("TRAFFIC_NOT_SHIFTED",  _D, True,  _FAIL, "our revision exists but does not get all of the traffic", "shift the traffic (or find who pinned it), then retry"),
    FailureCode("SECRETS_MISSING",      _D, True,  _FAIL, "a serving revision lacks required secret bindings", "bind the named secrets, redeploy, then retry"),
    FailureCode("ENVIRONMENT_MISMATCH", _D, True,  _FAIL, "a serving revision lacks required environment variables", "set the named variables, redeploy, then retry"),
    FailureCode("MIGRATIONS_PENDING",   _D, True,  _FAIL, "database migrations of the change are not applied", "apply them, then retry"),
    FailureCode("PROBE_FAILED",         _D, True,  _ERR,  "the service's own version endpoint gives no usable answer", "read what it answered (a service that lets nobody in needs version_auth: id_token), look at its log, then retry"),
    FailureCode("PROOF_INCOMPLETE",     _D, True,  _ERR,  "a link of the deployment proof is only claimed or unknown", "read the open link, give it a second witness, then retry"),
    FailureCode("ROLLED_BACK",          _D, True,  _FAIL, "the deployment was rolled back", "mend the change, then start again"),
    FailureCode("GITHUB_DENIED",        None, True, _ERR, "GitHub refuses our credentials or permissions", "renew the token or its rights, then retry"),
    FailureCode("GITHUB_UNAVAILABLE",   None, True, _ERR, "GitHub could not be asked within the budget", "check GitHub's status page and our network, then retry"),
    FailureCode("CLOUD_RUN_DENIED",     None, True, _ERR, "Cloud Run refuses our credentials or permissions", "renew the credentials or their roles, then retry"),
    FailureCode("CLOUD_RUN_UNAVAILABLE",None, True, _ERR, "Cloud Run could not be asked within the budget, or knows no such service", "see the message: mend what is named wrongly; else check Google's status page and our network; then retry"),
    FailureCode("CANCELLED",            None, False, _CANC, "the run was cancelled", "start it again when you want it"),
    FailureCode("ABANDONED",            None, False, _FAIL, "a person gave the blocked run up", "start it again when the reason is gone"),
    FailureCode("ENGINE_TERMINATED",    None, False, _ERR,  "someone ended the run inside Temporal", "ask who did, then start it again"),
)
# fmt: on
FAILURES: dict[str, FailureCode] = {row.code: row for row in _ROWS}


@dataclass(frozen=True)
class Cause:
    """One link of the chain that led to a failure, outermost first. Secrets are masked."""

    type: str
    message: str


@dataclass(frozen=True)
class Failure:
    """Why a run is blocked or has ended, in words for people and codes for programs."""

    code: str
    stage: Stage
    message: str
    outcome: Outcome
    retryable: bool
    advice: str
    step: str | None = None
    attempt: int | None = None
    causes: tuple[Cause, ...] = ()
    since: datetime | None = None
    moves: tuple[Move, ...] = ()
    skippable: tuple[str, ...] = ()  # rules that the move `skip` may name


class RunStopped(Exception):
    """A step ended the normal course of a run: with this code, for this reason."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        causes: tuple[Cause, ...] = (),
        skippable: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message or FAILURES[code].says)
        self.kind = FAILURES[code]
        self.message = (message or self.kind.says)[:MAX_MESSAGE]
        self.causes = causes
        self.skippable = skippable


def failure_of(
    stop: RunStopped, stage: Stage, step: str | None, attempt: int | None, since: datetime
) -> Failure:
    """The failure that a stop means in this stage; the moves it offers come from the catalogue."""
    kind = stop.kind
    moves = tuple(move for move in Move if move is not Move.SKIP or stop.skippable) if kind.repairable else ()
    return Failure(
        code=kind.code,
        stage=stage,
        message=stop.message,
        outcome=kind.outcome,
        retryable=kind.retryable,
        advice=kind.advice,
        step=step,
        attempt=attempt,
        causes=stop.causes,
        since=since,
        moves=moves,
        skippable=stop.skippable,
    )


@dataclass(frozen=True)
class ApiCode:
    """A code that only the API answers with; no run is ever in it."""

    code: str
    status: int
    says: str


# fmt: off
API_CODES: dict[str, ApiCode] = {row.code: row for row in (
    ApiCode("UNAUTHENTICATED",      401, "no valid credentials"),
    ApiCode("FORBIDDEN",            403, "the role does not allow this"),
    ApiCode("EXECUTION_DISARMED",   403, "the emergency stop is on"),
    ApiCode("NOT_FOUND",            404, "no such thing"),
    ApiCode("LEASE_LOST",           409, "the lease is not (or no longer) yours"),
    ApiCode("ALREADY_CLAIMED",      409, "another worker holds the order"),
    ApiCode("ILLEGAL_TRANSITION",   409, "the state does not allow this step"),
    ApiCode("MOVE_NOT_OFFERED",     409, "the run does not offer this move now"),
    ApiCode("PROOF_KEY_MISSING",    409, "the installation has no key to sign proof bundles with"),
    ApiCode("STALE_ETAG",           412, "the object changed meanwhile"),
    ApiCode("TOO_LARGE",            413, "the body is too large"),
    ApiCode("VALIDATION",           422, "the request's shape or a value is wrong"),
    ApiCode("IDEMPOTENCY_REUSED",   422, "the idempotency key was used with another body"),
    ApiCode("RATE_LIMITED",         429, "too many requests or too large a backlog"),
    ApiCode("LEDGER_UNAVAILABLE",   503, "the ledger is out of reach"),
    ApiCode("TEMPORAL_UNAVAILABLE", 503, "Temporal is out of reach"),
)}
# fmt: on
