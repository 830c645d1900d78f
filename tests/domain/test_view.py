"""The run view is the fold of its events, and of nothing else."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import HEAD, NOON, OTHER_HEAD, RUN, VTID
from vtid.domain.events import EVENT_TYPES, RunEvent
from vtid.domain.fold import fold, fold_all
from vtid.domain.stages import Move, Stage, StageStatus
from vtid.domain.task import TRANSITIONS, TaskStatus
from vtid.domain.view import MOVES, RunView, deployment_contradiction, sentence

P, W, V, D = Stage
FAILURE = {"code": "WORKER_LOST", "message": "it fell silent", "moves": ["retry", "adopt", "abandon"]}
SCOPE = {
    "code": "SCOPE_VIOLATION", "message": "denied by policy", "skippable": ["VAL-RULE-009"],
    "moves": ["retry", "adopt", "skip", "abandon"],
}  # fmt: skip
PULL = {"url": "https://github.test/acme/shop/pull/7", "number": 7, "head_sha": HEAD}
WAIT = {"for": "a worker", "since": NOON.isoformat(), "until": None, "who": "worker"}

Told = tuple[str, Stage, dict[str, Any]]


def a_stage(stage: Stage, *told: Told) -> tuple[Told, ...]:
    return (("stage.started", stage, {}), *told, ("stage.finished", stage, {"status": "success"}))


PLANNED = (("run.started", P, {"title": "do it"}), *a_stage(P, ("run.admitted", P, {})))
CLAIMED: Told = ("work_order.claimed", W, {"order_id": "o1", "attempt": 1, "worker": "w1"})
EVIDENCE: tuple[Told, ...] = (
    ("evidence.claimed", W, {"source": "handed_in", "pr_url": PULL["url"]}),
    ("evidence.observed", W, {"source": "handed_in", "pull_request": PULL}),
)
WORKED = a_stage(W, ("step.started", W, {"step": "pickup", "waiting": WAIT}), CLAIMED, *EVIDENCE)
JUDGED = a_stage(V, ("verdict.reached", V, {"passed": True, "head_sha": HEAD, "rules": []}))
MERGED: Told = ("change.merged", D, {"sha": "b" * 40})
PROVEN: Told = ("proof.recorded", D, {"complete": True, "code": None, "links": []})
DEPLOYED = a_stage(D, MERGED, ("deploy.run_ended", D, {"url": "https://run/1"}), PROVEN)
DONE: Told = ("run.finished", D, {"status": "completed", "outcome": "success"})
GOOD_RUN = (*PLANNED, *WORKED, *JUDGED, *DEPLOYED, DONE)


def blocked(stage: Stage, **failure: Any) -> Told:
    return ("run.blocked", stage, {"failure": FAILURE | failure, "until": None})


def resumed(stage: Stage, move: Move = Move.RETRY) -> Told:
    return ("run.resumed", stage, {"move": move, "by": "ann"})


def events(*told: Told, after: int = 0) -> list[RunEvent]:
    return [
        RunEvent(RUN, seq, VTID, name, NOON + timedelta(seconds=seq), stage, data=data)
        for seq, (name, stage, data) in enumerate(told, start=after + 1)
    ]


def folded(*told: Told) -> RunView:
    return fold_all(RunView(VTID, None), events(*told))


def test_a_good_run_ends_completed_with_four_green_stages() -> None:
    view = folded(*GOOD_RUN)

    assert (view.status, view.outcome, view.stage) == (TaskStatus.COMPLETED, "success", D)
    assert [each.status for each in view.stages] == [StageStatus.SUCCESS] * 4
    assert view.waiting is None
    assert view.failure is None
    assert view.links == {"pr": PULL["url"], "deploy_run": "https://run/1"}
    assert sentence(view) == "completed"


def test_the_status_follows_the_stages() -> None:
    course = [folded(*GOOD_RUN[:length]).status for length in range(len(GOOD_RUN) + 1)]

    assert list(dict.fromkeys(course)) == ["scheduled", "in_progress", "validating", "completed"]


def test_a_run_that_is_not_admitted_is_still_scheduled() -> None:
    waits = ("wait.started", P, WAIT | {"for": "the system to be armed again"})
    view = folded(*PLANNED[:2], waits)

    assert view.status is TaskStatus.SCHEDULED
    assert (view.waiting or {})["for"] == "the system to be armed again"


def test_a_blocked_run_says_why_and_offers_its_moves() -> None:
    view = folded(*PLANNED, ("stage.started", W, {}), blocked(W))

    assert view.status is TaskStatus.BLOCKED
    assert view.of(W).status is StageStatus.BLOCKED
    assert view.failure == view.of(W).failure == FAILURE
    assert [each["move"] for each in view.moves] == ["retry", "adopt", "abandon"]
    assert (view.waiting or {})["for"] == "a decision: retry, adopt, abandon"
    assert sentence(view).startswith(
        "WORKER is blocked by WORKER_LOST: it fell silent · waits for a decision"
    )


def test_the_move_skip_says_which_rules_it_may_name() -> None:
    view = folded(*PLANNED, *WORKED, ("stage.started", V, {}), ("run.blocked", V, {"failure": SCOPE}))

    assert [move for move in view.moves if move["move"] == "skip"] == [
        {"move": "skip", "role": "approver", "params": ["rule", "reason"], "rules": ["VAL-RULE-009"]}
    ]


def test_every_move_of_the_catalogue_can_be_offered() -> None:
    assert set(MOVES) == set(Move)


# A try that failed, and the start of the next one in this stage.
AGAIN = {
    W: (*PLANNED, ("stage.started", W, {}), blocked(W), resumed(W)),
    V: (
        *PLANNED, *WORKED, ("stage.started", V, {}),
        ("verdict.reached", V, {"passed": False, "head_sha": HEAD, "rules": []}), blocked(V), resumed(V),
    ),
    D: (
        *PLANNED, *WORKED, *JUDGED, ("stage.started", D, {}), MERGED,
        ("proof.recorded", D, {"complete": False, "code": "PROBE_FAILED", "links": []}), blocked(D), resumed(D),
    ),
}  # fmt: skip


@pytest.mark.parametrize("stage", AGAIN)
def test_an_old_failure_never_colours_a_new_try(stage: Stage) -> None:
    view = folded(*AGAIN[stage], ("stage.started", stage, {}))

    assert view.of(stage).status is StageStatus.RUNNING
    assert (view.failure, view.moves, view.proof, view.waiting) == (None, (), None, None)
    assert all(each.failure is None for each in view.stages)
    assert view.verdict is None or stage is D
    assert all(each.status is StageStatus.PENDING for each in view.stages[list(Stage).index(stage) + 1 :])


def test_a_retry_of_the_planner_is_scheduled_until_it_is_admitted_again() -> None:
    view = folded(
        ("run.started", P, {}), ("stage.started", P, {}), blocked(P), resumed(P), ("stage.started", P, {})
    )

    assert view.status is TaskStatus.SCHEDULED


def test_a_voided_verdict_is_not_shown_while_it_is_judged_again() -> None:
    back = (
        *PLANNED,
        *WORKED,
        *JUDGED,
        ("stage.started", D, {}),
        ("verdict.voided", D, {"reason": "ci is red"}),
    )

    assert folded(*back, ("stage.started", V, {})).verdict is None


def test_a_moved_head_voids_the_verdict_and_becomes_the_evidence() -> None:
    view = folded(*PLANNED, *WORKED, *JUDGED, ("change.head_moved", D, {"from": HEAD, "to": OTHER_HEAD}))

    assert view.verdict is None
    assert view.evidence["observed"]["head_sha"] == OTHER_HEAD


def test_claims_stand_beside_the_facts_they_are_about() -> None:
    view = folded(*PLANNED, *WORKED)

    assert view.evidence["claimed"]["pr_url"] == view.evidence["observed"]["url"] == PULL["url"]
    assert view.evidence["observed"]["source"] == "handed_in"


def test_a_refused_claim_does_not_stand_beside_what_was_found() -> None:
    lie = ("evidence.claimed", W, {"source": "handed_in", "pr_url": "https://github.test/acme/shop/pull/99"})
    found = ("evidence.observed", W, {"source": "found", "pull_request": PULL})
    view = folded(*PLANNED, ("stage.started", W, {}), CLAIMED, lie, found)

    assert view.evidence["claimed"] is None
    assert view.evidence["observed"]["url"] == PULL["url"]


@pytest.mark.parametrize(
    ("status", "outcome", "bar"),
    [("rejected", "failure", StageStatus.ERROR), ("cancelled", "cancellation", StageStatus.CANCELLED)],
)
def test_a_run_that_did_not_complete_ends_in_its_stage(status: str, outcome: str, bar: StageStatus) -> None:
    end = ("run.finished", W, {"status": status, "outcome": outcome, "failure": FAILURE, "note": "as told"})
    view = folded(*PLANNED, ("stage.started", W, {}), end)

    assert (view.status, view.outcome, view.of(W).status) == (status, outcome, bar)
    assert view.ended_at == view.of(W).ended_at
    assert view.moves == ()
    assert sentence(view) == f"{status}: WORKER_LOST, it fell silent (as told)"


def test_a_stage_that_is_passed_over_says_why() -> None:
    why = "the change is merged already"
    view = folded(*PLANNED, ("stage.finished", W, {"status": "skipped", "why": why}))

    assert (view.of(W).status, view.of(W).why) == (StageStatus.SKIPPED, why)
    assert view.stage is P


def test_a_waiting_run_says_for_what_since_when_until_when_and_who_can_move_it() -> None:
    wait = {"for": "ci", "since": "12:00", "until": "12:30", "who": "GitHub Actions"}
    view = folded(
        *PLANNED,
        *WORKED,
        ("stage.started", V, {}),
        ("step.started", V, {"step": "await_checks", "waiting": wait}),
    )

    assert view.waiting == view.of(V).waiting == wait
    assert (
        sentence(view) == "VALIDATOR · await_checks · waits for ci since 12:00, until 12:30 (GitHub Actions)"
    )


def test_a_run_that_waits_for_nothing_says_where_it_is() -> None:
    assert sentence(RunView(VTID, None)) == "PLANNER"


# ---------------------------------------------------------------- properties, over courses that a run can take


@st.composite
def courses(draw: st.DrawFn) -> tuple[Told, ...]:
    """A run with failures and retries in any stage, cut off anywhere."""
    told: list[Told] = [PLANNED[0]]
    for stage, course in ((P, PLANNED[1:]), (W, WORKED), (V, JUDGED), (D, DEPLOYED)):
        for _ in range(draw(st.integers(0, 2))):
            upto = draw(st.integers(1, len(course) - 1))
            told += [*course[:upto], blocked(stage), resumed(stage)]
        told += course
    end = {
        "status": draw(st.sampled_from(["rejected", "cancelled"])),
        "outcome": "failure",
        "failure": FAILURE,
    }
    cut = draw(st.integers(1, len(told)))
    return (*told, DONE) if cut == len(told) else (*told[:cut], ("run.finished", P, end))


@given(courses())
def test_a_repeated_event_changes_nothing(course: tuple[Told, ...]) -> None:
    some = events(*course)
    view = fold_all(RunView(VTID, None), some)

    assert fold_all(view, some) == view
    assert fold_all(RunView(VTID, None), [each for event in some for each in (event, event)]) == view


@given(courses(), st.data())
def test_two_batches_fold_like_one(course: tuple[Told, ...], data: st.DataObject) -> None:
    some = events(*course)
    cut = data.draw(st.integers(0, len(some)))
    overlap = data.draw(st.integers(0, cut))
    first = fold_all(RunView(VTID, None), some[:cut])

    assert fold_all(first, some[cut - overlap :]) == fold_all(RunView(VTID, None), some)


@given(courses())
def test_the_sequence_only_grows(course: tuple[Told, ...]) -> None:
    view, seqs = RunView(VTID, None), []
    for event in events(*course):
        view = fold(view, event)
        seqs.append(view.seq)

    assert seqs == sorted(set(seqs))


@given(courses())
def test_every_step_of_a_run_is_a_legal_step_of_its_task(course: tuple[Told, ...]) -> None:
    """The ledger refuses an illegal step, and the run would wait for ever."""
    views = [folded(*course[:length]) for length in range(len(course) + 1)]

    for before, after in pairwise(view.status for view in views):
        assert after == before or after in TRANSITIONS[before]


@given(courses())
def test_an_open_run_has_no_outcome_and_a_closed_one_waits_for_nothing(course: tuple[Told, ...]) -> None:
    before, after = folded(*course[:-1]), folded(*course)

    assert before.outcome is None
    assert after.outcome is not None
    assert (after.waiting, after.moves) == (None, ())
    assert sentence(before)


@given(
    courses(),
    st.text(min_size=1).filter(lambda name: name not in EVENT_TYPES),
    st.dictionaries(st.text(), st.text()),
)
def test_an_event_of_tomorrow_changes_nothing_but_the_sequence(
    course: tuple[Told, ...], name: str, data: dict[str, str]
) -> None:
    view = folded(*course)
    unknown = events((name, W, data), after=view.seq)[0]

    assert fold(view, unknown) == replace(view, seq=view.seq + 1)


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("stage", Stage)
def test_every_move_in_every_stage_leads_on_by_legal_steps(stage: Stage, move: Move) -> None:
    following = {Move.RETRY: stage, Move.SKIP: stage, Move.ADOPT: V}.get(move)
    adopted = ("evidence.observed", stage, {"source": "adopted", "pull_request": PULL})
    end = ("run.finished", stage, {"status": "rejected", "outcome": "failure", "failure": FAILURE})
    before = {P: PLANNED[:1], W: PLANNED, V: (*PLANNED, *WORKED), D: (*PLANNED, *WORKED, *JUDGED)}[stage]
    onward = ("stage.started", following, {}) if following else end
    course: tuple[Told, ...] = (
        *before, ("stage.started", stage, {}), blocked(stage), resumed(stage, move),
        *((adopted,) if move is Move.ADOPT else ()), onward,
    )  # fmt: skip
    statuses = [folded(*course[:length]).status for length in range(len(course) + 1)]

    for old, new in pairwise(statuses):
        assert new == old or new in TRANSITIONS[old], (old, new)


def test_a_worker_that_says_in_ever_new_words_that_it_is_deployed_contradicts_once() -> None:
    view = RunView("VTID-01227", "run-1")
    first = deployment_contradiction(view, "w1", "it is live")
    told = replace(view, evidence=view.evidence | {"contradictions": [first]})

    assert deployment_contradiction(told, "w1", "it is live, really") is None
    assert deployment_contradiction(told, "w2", "it is live") is not None
    assert deployment_contradiction(replace(told, merged="b" * 40), "w1", "it is live") is not None
