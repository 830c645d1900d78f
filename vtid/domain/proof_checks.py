"""Whether what a proof bundle says follows from what stands in it, and whether the event log tells the same.

Pure: a statement in, one sentence for each check out. The rules are those of the run itself (DeploymentProof.complete,
Verdict.passed), so that a bundle cannot be complete where a run would not be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vtid.domain.deployment import DeploymentProof, Link, LinkState
from vtid.domain.hosts import HOSTS
from vtid.domain.run_proof import (
    EngineEnd,
    EventShown,
    Json,
    approval_of,
    events_of_run,
    log_of,
    statement_of,
    subjects_of,
    view_of,
    without_secrets,
)
from vtid.domain.task import CLOSED, TaskStatus
from vtid.domain.verdict import Answer, RuleAnswer, Verdict


@dataclass(frozen=True)
class Finding:
    """One check. holds: None when it was not made; `says` then tells why, and what would be needed."""

    check: str
    holds: bool | None
    says: str


def findings_of(statement: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Every check that needs nothing but the statement itself, which must have the right form."""
    predicate: Json = statement["predicate"]
    return (
        _finding("outcome", _of_outcome(predicate), _outcome_says(predicate)),
        *_links(predicate),
        *_verdict(predicate),
        _approval(predicate),
        _finding(
            "subject",
            [] if statement["subject"] == subjects_of(predicate) else ["it is not what the run was about"],
            ", ".join(_subject_says(each) for each in statement["subject"]),
        ),
    )


def objections_to(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """Why nobody should sign or believe this statement; empty when it follows from what stands in it."""
    return tuple(f"{each.check}: {each.says}" for each in findings_of(statement) if each.holds is False)


def findings_against(statement: Mapping[str, Any], events: Sequence[EventShown]) -> tuple[Finding, ...]:
    """What the event log says of it: the hash over the run's events, and the statement made again from them."""
    predicate: Json = statement["predicate"]
    wanted = predicate["log"]
    of_run = events_of_run(predicate["run_id"], events)
    # A run that was blocked goes on; what it told after the bundle was made is no part of it.
    told = [each for each in of_run if each["position"] <= wanted["last_position"]]
    if not told:
        return (
            Finding(
                "events", False, f"the log that was given has no such event of run {predicate['run_id']}"
            ),
        )
    found = log_of(told)
    if found != wanted:
        differing = ", ".join(
            f"{key} {found[key]} in place of {wanted[key]}" for key in wanted if found[key] != wanted[key]
        )
        return (Finding("events", False, f"these are not the events that were signed: {differing}"),)
    counted = f"{found['events']} events at positions {found['first_position']} to {found['last_position']}"
    return (
        Finding("events", True, f"{counted} have exactly the hash that stands in it"),
        _made_again(statement, told),
        _approval_event(predicate, events),
        *_since(len(of_run) - len(told)),
    )


# ---------------------------------------------------------------- one check each


def _of_outcome(predicate: Json) -> list[str]:
    """What contradicts the status. Only `completed` needs a proof, and everything else needs a reason."""
    status, outcome, failure = predicate["status"], predicate["outcome"], predicate["failure"]
    wrong: list[str] = []
    if status != TaskStatus.BLOCKED and status not in CLOSED:
        wrong.append(f"a run that is {status} is under way, and nothing is decided")
    if (status == TaskStatus.COMPLETED) != (outcome == "success"):
        wrong.append(f"status {status} and outcome {outcome} do not go together")
    if (status == TaskStatus.BLOCKED) != (outcome is None):
        wrong.append(f"a run that is {status} has {'an' if outcome else 'no'} outcome")
    if status == TaskStatus.COMPLETED and failure is not None:
        wrong.append(f"it says completed, and failure {failure['code']}")
    if status != TaskStatus.COMPLETED and failure is None:
        wrong.append(f"it says {status}, and not why")
    if status == TaskStatus.COMPLETED and predicate["change"]["merge_sha"] is None:
        wrong.append("it says completed, and names no merged commit")
    if status == TaskStatus.COMPLETED and predicate["proof"] is None:
        wrong.append("it says completed, and has no deployment proof")
    return wrong


def _outcome_says(predicate: Json) -> str:
    if predicate["status"] == TaskStatus.COMPLETED:
        return f"completed: {predicate['change']['merge_sha']} was merged into {predicate['repository']}"
    failure = predicate["failure"] or {"code": "no code", "message": ""}
    return f"NOT completed: the run is {predicate['status']} by {failure['code']}: {failure['message']}"


def _links(predicate: Json) -> tuple[Finding, ...]:
    proof = predicate["proof"]
    if proof is None:
        return (Finding("links", None, "there are none: nothing was deployed"),)
    links = tuple(
        Link(each["name"], LinkState(each["state"]), each["says"], each["service"], code=each["code"])
        for each in proof["links"]
    )
    chain = DeploymentProof(predicate["change"]["merge_sha"] or "", links)
    wrong = _gaps(links)
    if chain.complete != proof["complete"]:
        wrong.append(f"complete is {str(proof['complete']).lower()}, and the links say otherwise")
    if predicate["status"] == TaskStatus.COMPLETED and not chain.complete:
        link = chain.open_link
        which = f"{_place(link)} is {link.state}: {link.says}" if link else "there is no link"
        wrong.append(f"it says completed, and {which}")
    proven = sum(link.state is LinkState.PROVEN for link in links)
    return (_finding("links", wrong, f"{proven} of {len(links)} links are proven"),)


def _gaps(links: Sequence[Link]) -> list[str]:
    """Links that the chain lacks: a proof does not get complete by leaving out what is not proven."""
    places = [(link.service, link.name) for link in links]
    gaps = [
        f"{_place(link)} stands in it twice" for link in links if places.count((link.service, link.name)) > 1
    ]
    services = list(dict.fromkeys(service for service, _ in places if service is not None))
    needed = ("commit", *(["actions_run"] if services else []))
    gaps += [f"the link {name} is missing" for name in needed if (None, name) not in places]
    for service in services:
        given = frozenset(name for owner, name in places if owner == service)
        # Which host it is on does not stand in the links; the chain that is nearest tells what is wrong.
        chain = min((frozenset(host.links) for host in HOSTS.values()), key=lambda each: len(each ^ given))
        gaps += [f"the link {name} of {service} is missing" for name in sorted(chain - given)]
        gaps += [
            f"no host gives the link {name} of {service} beside the others" for name in sorted(given - chain)
        ]
    return gaps


def _place(link: Link) -> str:
    return f"the link {link.name}" + (f" of {link.service}" if link.service else "")


def _verdict(predicate: Json) -> tuple[Finding, ...]:
    verdict = predicate["verdict"]
    if verdict is None:
        return (
            Finding(
                "verdict", None, "there is none: no rule was asked about the change that the run had last"
            ),
        )
    rules = tuple(
        RuleAnswer(each["rule"], each["title"], Answer(each["answer"]), each["reason"], by=each["by"])
        for each in verdict["rules"]
    )
    judged = Verdict(verdict["head_sha"], rules)
    wrong = []
    if judged.passed != verdict["passed"]:
        wrong.append(f"passed is {str(verdict['passed']).lower()}, and the rules say otherwise")
    if predicate["status"] == TaskStatus.COMPLETED and not judged.passed:
        wrong.append(f"it says completed, and these rules do not hold: {', '.join(judged.open) or 'all'}")
    head = predicate["change"]["head_sha"]
    if judged.head_sha != head:
        wrong.append(f"it is about {judged.head_sha}, and the change is {head}")
    nobody = [rule.rule for rule in judged.skipped if not rule.by]
    if nobody:
        wrong.append(f"nobody is named who skipped {', '.join(nobody)}")
    held = sum(rule.answer is Answer.PASS for rule in rules)
    skipped = "".join(f"; {rule.rule} was skipped by {rule.by}: {rule.reason}" for rule in judged.skipped)
    return (_finding("verdict", wrong, f"{held} of {len(rules)} rules hold{skipped}"),)


def _approval(predicate: Json) -> Finding:
    approval, spec = predicate["spec"]["approval"], predicate["spec"]["sha256"]
    if approval is None:
        return Finding("approval", False, f"nobody is named who approved the spec {spec}")
    # By position, not by time: the clocks of the API and of Temporal may differ.
    late = approval["position"] >= predicate["log"]["first_position"]
    wrong = ["the approval came after the run had begun"] if late else []
    return _finding("approval", wrong, f"{approval['by']} approved the spec {spec} at {approval['at']}")


def _subject_says(subject: Json) -> str:
    return f"{subject['name']} {' '.join(str(digest) for digest in subject['digest'].values())}"


def _made_again(statement: Mapping[str, Any], told: Sequence[EventShown]) -> Finding:
    """The same statement, made from the events. What is no event's word is taken from the statement."""
    predicate: Json = statement["predicate"]
    # Only of a run that told no end itself.
    by_engine = predicate["ended_by"] == "engine" and view_of(told).outcome is None
    end = (
        EngineEnd(
            predicate["status"], predicate["outcome"], predicate["failure"] or {}, predicate["ended_at"]
        )
        if by_engine
        else None
    )
    made = statement_of(told, None, end)["predicate"]
    # Masked on both sides: what looks like a secret may have become more since it was signed.
    signed = without_secrets(predicate)
    made["spec"]["approval"] = signed["spec"]["approval"]
    differing = [key for key in signed if signed[key] != made[key]]
    but = "; that somebody ended it inside Temporal stands in no event of the run" if by_engine else ""
    return _finding(
        "agreement",
        [f"the events tell another {', '.join(differing)}"] if differing else [],
        f"the same statement follows from these events{but}",
    )


def _since(later: int) -> tuple[Finding, ...]:
    if not later:
        return ()
    says = f"not checked: the run went on and told {later} more; a new bundle says how it stands now"
    return (Finding("later events", None, says),)


def _approval_event(predicate: Json, events: Sequence[EventShown]) -> Finding:
    given = predicate["spec"]["approval"] or {}
    found = approval_of(predicate["spec"]["sha256"], events, predicate["log"]["first_position"])
    if found is None:
        return Finding(
            "approval event", None, "not checked: the log that was given has no approval of this spec"
        )
    same = (found["actor"], found["at"], found["position"]) == (
        given.get("by"), given.get("at"), given.get("position"),
    )  # fmt: skip
    wrong = [] if same else [f"the log has it from {found['actor']} at {found['at']}"]
    return _finding("approval event", wrong, f"the log has it at position {found['position']}")


def _finding(check: str, wrong: Sequence[str], right: str) -> Finding:
    return Finding(check, not wrong, "; ".join(wrong) or right)
