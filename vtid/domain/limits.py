"""Every timeout and retry of a run, in one table.

The workflow carries a copy of it in its input, so a policy change never alters a run under way.
GET /limits serves it, and docs/limits.md is made from it. Source of the defaults: design of the run, 3.2.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum


class Lane(StrEnum):
    """Where a step runs: how it is carried, never what it means."""

    BOOKKEEPING = "bookkeeping"  # our own ledger: a local activity first, an ordinary one when that fails
    OUTSIDE = "outside"  # an ordinary activity on the runs' queue
    GITHUB = "github"  # an ordinary activity on the paced queue
    LEASE = "lease"  # completed from outside, by the API
    TIMER = "timer"  # no activity: a timer of the workflow


FOREVER = 0


SELDOM = 32  # times 'one try': what a timer that looks again and again comes to; half an hour for a minute


@dataclass(frozen=True)
class Limit:
    """The bounds of one step.

    one_try: the longest a single try may take. budget: the longest all tries together may take (None:
    the run waits, visibly). tries: how often it is tried, 0 for no bound but the budget. heartbeat:
    silence after which a held lease is lost. back_off: the pauses between tries, the last one repeated.
    """

    lane: Lane
    one_try: timedelta | None = None
    budget: timedelta | None = None
    tries: int = FOREVER
    heartbeat: timedelta | None = None
    back_off: tuple[timedelta, ...] = ()
    why: str = ""

    def pause_after(self, tries: int) -> timedelta:
        """The pause after this many tries (1 after the first)."""
        return self.back_off[min(tries, len(self.back_off)) - 1]

    def pause_before_look(self, nth: int) -> timedelta:
        """The pause before the nth look of a timer that looks again and again: 'one try', and longer each time.

        It doubles up to SELDOM times that, so that days of waiting do not fill the history of a run.
        """
        if self.one_try is None:
            raise ValueError("this limit has no 'one try'")
        times: int = min(2 ** min(nth - 1, 30), SELDOM)
        return self.one_try * times

    def whole_budget(self) -> timedelta:
        """The budget of a step that must have one."""
        if self.budget is None:
            raise ValueError("this limit has no budget")
        return self.budget


def _s(*seconds: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=each) for each in seconds)


def _sec(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _min(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def _h(hours: float) -> timedelta:
    return timedelta(hours=hours)


_QUICK = _s(1, 2, 5, 10)
_POLL = _s(5, 8, 12, 20)
_B, _O, _G, _T = Lane.BOOKKEEPING, Lane.OUTSIDE, Lane.GITHUB, Lane.TIMER

# fmt: off
LIMITS: dict[str, Limit] = {
    #                               lane  one try   budget    tries    heartbeat  back-off              why
    "load_task":            Limit(_B, _sec(10), _min(5),  FOREVER, None,      _QUICK,                 "our own ledger"),
    "read_armed":           Limit(_B, _sec(10), _min(5),  FOREVER, None,      _QUICK,                 "our own ledger"),
    "read_workers":         Limit(_B, _sec(10), _min(5),  FOREVER, None,      _QUICK,                 "our own ledger"),
    "read_progress":        Limit(_B, _sec(10), _min(5),  FOREVER, None,      _QUICK,                 "our own ledger"),
    "read_late_claims":     Limit(_B, _sec(10), _min(5),  FOREVER, None,      _QUICK,                 "our own ledger"),
    "offer_work_order":     Limit(_B, _sec(10), _min(5),  FOREVER, None,      _QUICK,                 "our own ledger; an order is offered once however often it is tried"),
    "withdraw_order":       Limit(_B, _sec(10), _min(5),  FOREVER, None,      _QUICK,                 "our own ledger"),
    "record_events":        Limit(_B, _sec(10), None,     FOREVER, None,      _s(1, 2, 5, 10, 30),    "the ledger must not lose: the run waits, visibly"),
    "tell_serving":         Limit(_B, _sec(10), _h(24),   FOREVER, None,      _s(1, 2, 5, 10, 30),    "what became of a deployment: our own ledger"),
    "judge":                Limit(_B, _sec(30), _min(5),  5,       None,      _QUICK,                 "a validator may not hang"),
    "find_merged_change":   Limit(_B, _sec(10), _min(5),  FOREVER, None,      _QUICK,                 "nothing is built twice after a merge; a read that is nearly always quick"),
    "find_evidence":        Limit(_G, _sec(30), _min(2),  5,       None,      _s(5, 10, 20, 40),      "back-off instead of a fixed interval"),
    "gather_facts":         Limit(_G, _sec(30), _min(5),  5,       None,      _QUICK,                 "a validator may not hang"),
    "read_logs":            Limit(_G, _sec(30), _min(2),  3,       None,      _s(2, 5, 10),           "what red checks say; a repair order goes without it rather than wait long"),
    "await_checks":         Limit(_G, _sec(20), _min(30), FOREVER, None,      _POLL,                  "CI takes its time; looks every 5 to 20 s"),
    "await_merge":          Limit(_G, _sec(20), _h(72),   FOREVER, None,      _s(5, 10, 20, 40, 60),  "automerge is off: a person merges on GitHub, and the run sees it"),
    "merge_pull_request":   Limit(_G, _sec(30), _min(5),  5,       None,      _s(2, 5, 10, 20),       "compare-and-swap; reads before it tries again"),
    "await_queue":          Limit(_G, _sec(20), _min(60), FOREVER, None,      _s(5, 10, 20, 30),      "the branch's merge queue builds, checks and merges; what it drops is told at once"),
    "leave_queue":          Limit(_G, _sec(30), _min(5),  8,       None,      _s(2, 5, 10, 20),       "a run that ends takes its change out of the queue; reads before it tries again"),
    "dispatch_deploy":      Limit(_G, _sec(30), _min(2),  5,       None,      _s(2, 5, 10, 20),       "not idempotent by itself: looked up before each retry"),
    "await_deploy_run":     Limit(_G, _sec(20), _min(10), FOREVER, None,      _POLL,                  "the deploy run on GitHub Actions"),
    "verify_migrations":    Limit(_G, _sec(30), _min(5),  FOREVER, None,      _POLL,                  "asked only where migrations are declared; they may run on after the deploy"),
    "prove_deployment":     Limit(_O, _sec(30), _min(5),  FOREVER, None,      _POLL,                  "traffic settles"),
    "read_serving":         Limit(_O, _sec(30), _min(2),  FOREVER, None,      _QUICK,                 "what a rollback goes back to, where policy has one"),
    "roll_back":            Limit(_O, _sec(30), _min(5),  FOREVER, None,      _POLL,                  "traffic is shifted back once, and proven like any deployment"),
    "watch_deployment":     Limit(_O, _sec(60), _h(72),   FOREVER, None,      (_min(5),),             "after the proof: looks every 5 minutes, for three days, whether it still holds"),
    "report":               Limit(_G, _sec(30), _min(10), 10,      None,      _s(2, 5, 10, 30),       "never fails the run; a failure is an event"),
    "hold_lease":           Limit(Lane.LEASE, _min(30), _min(30), 1, _sec(90), (),                    "a worker's time on one attempt, and the silence that loses it"),
    "await_armed":          Limit(_T, _sec(60), _h(168),  FOREVER, None,      (),                     "emergency stop: looks again after 'one try', then less and less often; waits seven days"),
    "pickup":               Limit(_T, _sec(60), None,     3,       None,      _s(5, 20, 60),          "an offer waits this long for a worker; 'tries' re-offers"),
    "busy_workers":         Limit(_T, _sec(60), _h(24),   FOREVER, None,      (),                     "all workers are busy: looks again after 'one try', then less and less often"),
    "progress":             Limit(_T, _min(5),  None,     FOREVER, None,      (),                     "a worker that beats but does not move"),
    "progress_unattended":  Limit(_T, _min(20), None,     FOREVER, None,      (),                     "a worker that cannot beat: any call counts as progress"),
    "attempts":             Limit(_T, None,     None,     3,       None,      (),                     "claimed leases before the WORKER stage blocks"),
    "head_rounds":          Limit(_T, None,     None,     3,       None,      (),                     "how often a moved head is validated again"),
    "checks_missing":       Limit(_T, _min(3),  None,     FOREVER, None,      (),                     "no check registered at all for this long is no green"),
    "deploy_run_missing":   Limit(_T, _min(3),  None,     FOREVER, None,      (),                     "no deploy run at all for this long"),
    "blocked":              Limit(_T, _h(72),   _h(72),   1,       None,      (),                     "a person decides; then the run fails with the same code"),
    "stop_confirmed":       Limit(_T, _sec(90), _sec(90), 1,       None,      (),                     "a cancelled worker confirms at its next heartbeat, or its silence is told"),
}
# fmt: on

# A local activity that retries for long bloats the history and hides itself, so bookkeeping gets seconds
# as one; when they do not suffice it goes on as an ordinary activity, which retries visibly.
LOCAL_BUDGET = _sec(3)
LOCAL_PAUSE = _sec(0.2)
LOCAL_TRIES = 3  # the budget alone does not bound a local activity's tries (tried on temporalio 1.35)

# A timer that fires this much after its time did so because we were down: one more window is granted.
LATE_AFTER = _sec(1)
MORE_WINDOWS = 5  # how often at most, so that a server which is always late cannot keep a run for ever

LONGEST_GRACE = _min(1)  # of a window that is granted again

HEARTBEAT_DUE = _sec(30)
SUSPECT_AFTER_SHARE = 2 / 3  # of the silence that loses a lease: 60 s of 90 s


# Long waits that look again and again: a hint makes them look at once.
POLLS = frozenset({"await_checks", "await_merge", "await_queue", "await_deploy_run", "prove_deployment"})
HINTS_A_WAIT = 10  # how often at most: a noisy code host must not fill the history


def activities() -> set[str]:
    """The names in the table that are activities."""
    return {name for name, limit in LIMITS.items() if limit.lane is not Lane.TIMER}


def carried(overrides: dict[str, Limit]) -> dict[str, Limit]:
    """The table as a run carries it in its input: with an environment's overrides, without the prose."""
    return {name: replace(overrides.get(name, limit), why="") for name, limit in LIMITS.items()}
