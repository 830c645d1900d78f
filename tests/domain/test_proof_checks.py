"""A bundle is believed only where it follows from itself, and from the log that it was made from."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.run_events import PULL, approval, blocked, green, link, rule, shown, until_merged
from vtid.domain.canonical import canonical
from vtid.domain.deployment import LinkState
from vtid.domain.proof_checks import Finding, findings_against, findings_of, objections_to
from vtid.domain.proof_shape import BadBundle, read_bundle
from vtid.domain.run_proof import PAYLOAD_TYPE, EngineEnd, statement_of, subjects_of

Statement = dict[str, Any]


def enveloped(statement: Any, **changed: Any) -> str:
    payload = statement if isinstance(statement, str) else canonical(statement)
    signature = {"keyid": "k", "sig": base64.b64encode(b"signature").decode()}
    envelope = {
        "payload": base64.b64encode(payload.encode()).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [signature],
    }
    return json.dumps(envelope | changed)


def by(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {each.check: each for each in findings}


@pytest.mark.parametrize("events", [green, blocked])
def test_what_a_run_told_has_the_form_and_follows_from_itself(events: Callable[[], list[Any]]) -> None:
    statement = statement_of(events(), approval())

    assert read_bundle(enveloped(statement)).statement == statement
    assert objections_to(statement) == ()


def test_a_bundle_that_is_not_of_a_completed_run_says_so_first() -> None:
    assert findings_of(statement_of(blocked(), approval()))[0].says.startswith("NOT completed")


def test_a_change_that_touches_no_service_is_proven_by_its_commit() -> None:
    events = green()
    events[7]["data"]["links"] = [link("commit")]

    assert objections_to(statement_of(events, approval())) == ()


def test_a_change_that_was_found_merged_has_no_verdict_and_that_is_told() -> None:
    pull = {"number": 7, "url": PULL, "head_sha": "a" * 40, "merge_sha": "b" * 40}
    events = [each for each in green() if each["type"] != "verdict.reached"]
    events[2]["data"]["pull_request"] = pull

    found = by(findings_of(statement_of(events, approval())))

    assert found["verdict"].holds is None
    assert not [each for each in found.values() if each.holds is False]


def _links(run: Statement) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = run["proof"]["links"]
    return links


# What somebody with the key might sign all the same: (what is done to the predicate, the check that refuses it).
LIES: dict[str, tuple[Callable[[Statement], object], str]] = {
    "a link that is only claimed": (lambda run: _links(run)[4].update(state="claimed"), "links"),
    "a link that is contradicted, told as incomplete": (
        lambda run: (_links(run)[2].update(state="contradicted"), run["proof"].update(complete=False)),
        "links",
    ),
    "the open link left out": (lambda run: _links(run).pop(), "links"),
    "no deploy run": (lambda run: _links(run).pop(1), "links"),
    "no commit": (lambda run: _links(run).pop(0), "links"),
    "no link at all": (lambda run: _links(run).clear(), "links"),
    "a link of no host": (lambda run: _links(run)[2].update(name="wish"), "links"),
    "a link twice": (lambda run: _links(run).append(_links(run)[2]), "links"),
    "complete is false": (lambda run: run["proof"].update(complete=False), "links"),
    "no proof": (lambda run: run.update(proof=None), "outcome"),
    "no merge": (lambda run: run["change"].update(merge_sha=None), "outcome"),
    "a failure beside it": (
        lambda run: run.update(failure={"code": "X", "stage": "DEPLOY", "outcome": "error", "message": ""}),
        "outcome",
    ),
    "another outcome": (lambda run: run.update(outcome="failure"), "outcome"),
    "no outcome": (lambda run: run.update(outcome=None), "outcome"),
    "a run under way": (lambda run: run.update(status="validating"), "outcome"),
    "failed, and not why": (lambda run: run.update(status="rejected", outcome="failure"), "outcome"),
    "a rule that fails": (lambda run: run["verdict"]["rules"][3].update(answer="fail"), "verdict"),
    "a rule that was not asked": (
        lambda run: run["verdict"]["rules"][3].update(answer="not_asked"),
        "verdict",
    ),
    "a rule that nobody skipped": (
        lambda run: run["verdict"]["rules"][3].update(answer="skipped"),
        "verdict",
    ),
    "no rules": (lambda run: run["verdict"]["rules"].clear(), "verdict"),
    "a verdict about another head": (lambda run: run["verdict"].update(head_sha="c" * 40), "verdict"),
    "nobody approved": (lambda run: run["spec"].update(approval=None), "approval"),
    "approved afterwards": (lambda run: run["spec"]["approval"].update(position=99), "approval"),
    "another repository": (lambda run: run.update(repository="acme/other"), "subject"),
    "another image": (lambda run: run["services"][0].update(image_digest="sha256:" + "e" * 64), "subject"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_statement_that_contradicts_itself_is_refused(lie: str) -> None:
    statement = statement_of(green(), approval())
    tell, check = LIES[lie]
    tell(statement["predicate"])

    assert by(findings_of(statement))[check].holds is False


@given(st.lists(st.sampled_from(LinkState), min_size=7, max_size=7), st.booleans())
def test_completed_holds_with_all_links_proven_and_in_no_other_case(
    states: list[LinkState], complete: bool
) -> None:
    statement = statement_of(green(), approval())
    for each, state in zip(_links(statement["predicate"]), states, strict=True):
        each["state"] = state.value
    statement["predicate"]["proof"]["complete"] = complete
    statement["subject"] = subjects_of(statement["predicate"])

    assert (objections_to(statement) == ()) == (complete and set(states) == {LinkState.PROVEN})


def test_the_link_that_was_left_out_is_named() -> None:
    statement = statement_of(green(), approval())
    _links(statement["predicate"]).pop()

    assert objections_to(statement) == ("links: the link live_answer of shop is missing",)


def test_a_service_that_only_answers_for_itself_has_the_chain_of_its_host() -> None:
    events = green()
    events[7]["data"]["links"] = [link("commit"), link("actions_run"), link("live_answer", "shop")]

    assert objections_to(statement_of(events, approval())) == ()


def test_a_skipped_rule_is_told_with_who_and_why() -> None:
    events = green()
    events[4]["data"]["rules"][8] = rule(9, "skipped", by="ada", reason="the path is new")

    verdict = by(findings_of(statement_of(events, approval())))["verdict"]

    assert verdict.holds
    assert "VAL-RULE-009 was skipped by ada: the path is new" in verdict.says


# ---------------------------------------------------------------- the log


def test_the_log_tells_the_same() -> None:
    found = findings_against(statement_of(green(), approval()), [approval(), *green()])

    assert {each.check: each.holds for each in found} == {
        "events": True,
        "agreement": True,
        "approval event": True,
    }


def test_a_run_that_went_on_after_its_bundle_is_told_as_such() -> None:
    later = [shown(20, 10, "run.resumed", "DEPLOY", move="retry"), shown(21, 11, "stage.started", "DEPLOY")]

    found = by(findings_against(statement_of(blocked(), approval()), [approval(), *blocked(), *later]))

    assert found["events"].holds
    assert found["agreement"].holds
    assert (found["later events"].holds, "told 2 more" in found["later events"].says) == (None, True)


def test_a_log_without_the_approval_is_told_as_not_checked() -> None:
    assert by(findings_against(statement_of(green(), approval()), green()))["approval event"].holds is None


@pytest.mark.parametrize("at", range(9))
def test_no_event_can_be_changed_or_left_out(at: int) -> None:
    statement, without, other = statement_of(green(), approval()), green(), green()
    del without[at]
    other[at]["actor"] = "somebody else"

    assert findings_against(statement, without)[0].holds is False
    assert findings_against(statement, other)[0].holds is False


def test_a_log_of_another_run_is_none_of_this_one() -> None:
    found = findings_against(statement_of(green(), approval()), [approval()])

    assert (found[0].holds, found[0].says) == (False, "the log that was given has no such event of run run-1")


@pytest.mark.parametrize(
    "lie",
    [
        lambda run: run["change"].update(head_sha="c" * 40),
        lambda run: run["verdict"]["rules"][2].update(answer="fail"),
        lambda run: _links(run)[4].update(raw_sha256="0" * 64),
        lambda run: run.update(environment="production"),
        lambda run: run.update(status="rejected"),
    ],
)
def test_what_the_events_do_not_tell_is_refused_though_their_hash_is_right(
    lie: Callable[[Statement], object],
) -> None:
    statement = statement_of(green(), approval())
    lie(statement["predicate"])

    assert by(findings_against(statement, [approval(), *green()]))["agreement"].holds is False


def test_an_approval_that_the_log_has_from_somebody_else_is_refused() -> None:
    statement = statement_of(green(), approval())
    statement["predicate"]["spec"]["approval"]["by"] = "eve"

    assert by(findings_against(statement, [approval(), *green()]))["approval event"].holds is False


def test_an_end_inside_temporal_is_not_in_the_log_and_that_is_told() -> None:
    failure = {"code": "ENGINE_TERMINATED", "stage": "DEPLOY", "outcome": "error", "message": "ended"}
    end = EngineEnd("rejected", "error", failure, "2026-01-02T04:00:00Z")
    statement = statement_of(until_merged(), approval(), end)

    agreement = by(findings_against(statement, until_merged()))["agreement"]

    assert objections_to(statement) == ()
    assert agreement.holds
    assert "stands in no event of the run" in agreement.says


def test_an_end_inside_temporal_cannot_be_invented_for_a_run_that_told_its_own() -> None:
    statement = statement_of(green(), approval())
    failure = {"code": "ENGINE_TERMINATED", "stage": "DEPLOY", "outcome": "error", "message": "ended"}
    statement["predicate"] |= {
        "status": "rejected",
        "outcome": "error",
        "ended_by": "engine",
        "failure": failure,
    }

    assert by(findings_against(statement, green()))["agreement"].holds is False


# ---------------------------------------------------------------- the form


def _with(path: str, value: Any) -> Statement:
    statement = copy.deepcopy(statement_of(green(), approval()))
    place: Any = statement
    *way, last = path.split(".")
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    return statement


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file: is no JSON"),
        ("[" * 100_000, "the file: is nested too deeply"),
        ("7", "the file: expected an object, got 7"),
        ('{"payload": "e30="}', "payloadType: is missing"),
        (enveloped({}, more=1), "more: there is no such field"),
        (enveloped({}, payloadType="text/plain"), "payloadType: expected application/vnd.in-toto"),
        (enveloped({}, payload="e30"), "payload: is no base64"),
        (enveloped({}, payload="e3 0="), "payload: is no base64"),
        (enveloped({}, payload="/w=="), "payload: is no UTF-8 text"),
        (enveloped({}, signatures=[]), "signatures: there is none"),
        (enveloped({}, signatures=[{"keyid": "k", "sig": "e30="}] * 2), "two of them name the same key"),
        (enveloped('{"a":1,"a":2}'), "payload: a key is given twice"),
        (enveloped('{"a":NaN}'), "payload: NaN is no JSON number"),
        (enveloped({}), "payload._type: is missing"),
        (enveloped(_with("predicateType", "urn:other")), "payload.predicateType: expected urn:vtid"),
        (
            enveloped(_with("subject.0.digest", {"a": {}})),
            "payload.subject[0].digest.a: expected text, got {}",
        ),
        (enveloped(_with("predicate.status", "done")), "payload.predicate.status: expected allocated or"),
        (
            enveloped(_with("predicate.log.events", True)),
            "payload.predicate.log.events: expected a whole number",
        ),
        (
            enveloped(_with("predicate.log.events", -1)),
            "payload.predicate.log.events: expected a whole number",
        ),
        (
            enveloped(_with("predicate.started_at", "yesterday")),
            "payload.predicate.started_at: expected a moment",
        ),
        (
            enveloped(_with("predicate.proof.links.2.state", "yes")),
            "payload.predicate.proof.links[2].state: expected",
        ),
        (
            enveloped(_with("predicate.verdict.head_sha", "A" * 40)),
            "payload.predicate.verdict.head_sha: expected 40",
        ),
        (
            enveloped(json.dumps(statement_of(green(), approval()))),
            "payload: is not written as canonical JSON",
        ),
    ],
)
def test_what_has_not_the_form_is_told_with_its_place(text: str, says: str) -> None:
    with pytest.raises(BadBundle) as problem:
        read_bundle(text)

    assert str(problem.value).startswith(says) or says in str(problem.value)


def test_events_that_are_none_of_the_run_may_stand_in_the_log() -> None:
    log = [shown(1, None, "task.created"), approval(), *green(), shown(20, None, "deployment.watched")]

    assert all(each.holds for each in findings_against(statement_of(green(), approval()), log))
