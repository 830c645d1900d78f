"""The events of runs, as GET /events shows them, for whoever tells of proofs."""

from datetime import UTC, datetime, timedelta
from typing import Any

VTID, RUN_ID = "VTID-01227", "run-1"
SPEC, HEAD, MERGED = "5" * 64, "a" * 40, "b" * 40
DIGEST = "sha256:" + "d" * 64
PULL = "https://github.test/acme/shop/pull/7"
_BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def shown(
    position: int, seq: int | None, kind: str, stage: str | None = None, actor: str = "system", **data: Any
) -> dict[str, Any]:
    at = (_BEGAN + timedelta(seconds=position)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "position": position,
        "id": f"{RUN_ID}:{seq}" if seq else f"{kind}:{position}",
        "run_id": RUN_ID if seq else None,
        "seq": seq,
        "vtid": VTID,
        "type": kind,
        "stage": stage,
        "at": at,
        "actor": actor,
        "data": data,
    }


def link(name: str, service: str | None = None, state: str = "proven", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "state": state, "says": f"{name} is {state}", "service": service, "raw": {"seconds": 1.5},
        "match": None, "at": "2026-01-02T03:05:00.123456Z", "code": None if state == "proven" else "PROOF_INCOMPLETE",
    } | more  # fmt: skip


def links() -> list[dict[str, Any]]:
    """A whole chain for one service on Cloud Run."""
    image = link("image_digest", "shop", raw={"digests": {"shop-00007": DIGEST}})
    others = [link(name, "shop") for name in ("revision", "traffic", "environment", "live_answer")]
    return [
        link("commit"),
        link("actions_run", raw={"id": 9, "url": "https://github.test/run/9"}),
        image,
        *others,
    ]


def rule(number: int, answer: str = "pass", **more: Any) -> dict[str, Any]:
    return {
        "rule": f"VAL-RULE-{number:03}", "title": f"rule {number}", "answer": answer, "reason": "so it is",
        "inputs": {"head": HEAD}, "code": "VALIDATION_FAILED", "by": None,
    } | more  # fmt: skip


def approval() -> dict[str, Any]:
    return shown(3, None, "spec.approved", actor="ada", hash=SPEC, reason="it is small")


def until_merged() -> list[dict[str, Any]]:
    """The events of the run up to its merge."""
    target = {"title": "Round prices", "spec_hash": SPEC, "environment": "dev", "repository": "acme/shop"}
    pull = {"number": 7, "url": PULL, "head_sha": HEAD, "branch": "claude/vtid-01227"}
    rules = [rule(number) for number in range(1, 14)]
    return [
        shown(5, 1, "run.started", "PLANNER", **target),
        shown(6, 2, "stage.started", "WORKER"),
        shown(8, 3, "evidence.observed", "WORKER", source="handed_in", pull_request=pull),
        shown(9, 4, "stage.started", "VALIDATOR"),
        shown(10, 5, "verdict.reached", "VALIDATOR", passed=True, head_sha=HEAD, rules=rules),
        shown(11, 6, "stage.started", "DEPLOY"),
        shown(12, 7, "change.merged", "DEPLOY", sha=MERGED),
    ]


def green() -> list[dict[str, Any]]:
    """A run that is completed."""
    return [
        *until_merged(),
        shown(13, 8, "proof.recorded", "DEPLOY", complete=True, code=None, links=links(), skipped=[]),
        shown(
            14, 9, "run.finished", "DEPLOY", status="completed", outcome="success", failure=None, note=None
        ),
    ]


def blocked() -> list[dict[str, Any]]:
    """A run whose deployment is not proven."""
    chain = [*links()[:-1], link("live_answer", "shop", "unknown", code="PROBE_FAILED")]
    failure = {
        "code": "PROBE_FAILED", "stage": "DEPLOY", "message": "no answer", "outcome": "error", "retryable": True,
        "advice": "look", "moves": ["retry"], "skippable": [],
    }  # fmt: skip
    return [
        *until_merged(),
        shown(
            13, 8, "proof.recorded", "DEPLOY", complete=False, code="PROBE_FAILED", links=chain, skipped=[]
        ),
        shown(14, 9, "run.blocked", "DEPLOY", failure=failure, until=None),
    ]
