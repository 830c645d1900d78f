"""What a model is told when a call is refused: the code, one sentence, and what to do next."""

from typing import Any

# fmt: off
ADVICE: dict[str, str] = {
    "UNAUTHENTICATED":      "tell the person who set you up that the API key is missing, unknown or expired; repeating cannot help",
    "FORBIDDEN":            "tell the person who set you up that this needs a key with the role worker; repeating cannot help",
    "EXECUTION_DISARMED":   "do nothing now: a person stopped all work. Keep what you have, push nothing, and ask again in some minutes",
    "NOT_FOUND":            "check the id for a slip; call list_work_orders to see what there is",
    "LEASE_LOST":           "stop working on this order and push nothing more for it; call claim_work to get another one",
    "ALREADY_CLAIMED":      "leave this order to the worker that holds it; call claim_work without vtid to get another one",
    "ILLEGAL_TRANSITION":   "the run has moved on; stop working on this order and call claim_work to get another one",
    "MOVE_NOT_OFFERED":     "leave it to a person; call claim_work to get another order",
    "PROOF_KEY_MISSING":    "tell a person that the installation has no key to sign proofs with; repeating cannot help",
    "STALE_ETAG":           "read it again, then repeat the call with what you read",
    "TOO_LARGE":            "send less: shorten the text or the list of files, then repeat the call",
    "VALIDATION":           "correct the argument that is named, then repeat the call; your lease is still good",
    "IDEMPOTENCY_REUSED":   "repeat the call as it was the first time",
    "RATE_LIMITED":         "wait half a minute, then repeat the call",
    "LEDGER_UNAVAILABLE":   "wait a few seconds, then repeat the same call; repeating is safe",
    "TEMPORAL_UNAVAILABLE": "wait a few seconds, then repeat the same call; repeating is safe",
    "INTERNAL":             "wait a few seconds and repeat the call once; then tell a person, with the request id",
    "UNREACHABLE":          "wait a few seconds, then repeat the same call; repeating is safe. If it stays so, tell a person to start the API",
}
# fmt: on
_OTHERWISE = "read the reason; if it cannot be mended by you, call fail_work with it and claim another order"


def advise(code: str, happened: str, *, request_id: str | None = None) -> str:
    """One readable line: code, what happened, what to do next."""
    told = " ".join(happened.split()).removeprefix(f"{code}: ").rstrip(".")
    traced = f" (request id {request_id})" if request_id and code == "INTERNAL" else ""
    return f"{code}: {told}{traced}. Next: {ADVICE.get(code, _OTHERWISE)}."


def advise_on(problem: Any, status: int) -> str:
    """The same for the API's problem, or for an answer that is none: something else may stand between."""
    if not isinstance(problem, dict) or "code" not in problem:
        code = "UNREACHABLE" if status >= 500 else "NOT_FOUND"
        return advise(code, f"something that is not our API answered with HTTP {status}")
    return advise(
        str(problem["code"]),
        str(problem.get("detail") or problem.get("title") or "refused"),
        request_id=problem.get("request_id"),
    )
