"""What a run has done to the world: the part of its events that a person must know before deciding anything."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vtid.domain.events import RunEvent


@dataclass(frozen=True)
class SideEffect:
    """One thing that stays done whatever is decided.

    kind: `attempt`, `pull_request`, `queue`, `merge`, `dispatch`, `deploy_run`, `deployment`, `check_run` or `comment`.
    at: when it was seen first.
    """

    kind: str
    says: str
    at: datetime
    url: str | None = None


def side_effects(events: Iterable[RunEvent]) -> tuple[SideEffect, ...]:
    """The effects in these events, in order, each thing once with the last that was said of it."""
    found: dict[tuple[str, str], SideEffect] = {}
    for event in events:
        for name, effect in _effects_of(event):
            before = found.get((effect.kind, name))
            found[effect.kind, name] = replace(effect, at=before.at if before else effect.at)
    return tuple(found.values())


_Named = tuple[str, SideEffect]  # which thing it is, so that it is told once


def _effects_of(event: RunEvent) -> Iterable[_Named]:
    told = EFFECTS.get(event.type)
    return told(event) if told else ()


def _attempt(event: RunEvent) -> Iterable[_Named]:
    data = event.data
    number, worker = data["attempt"], data.get("worker")
    ended = f"; it ended with {data['code']}" if event.type == "attempt.ended" else ""
    says = f"attempt {number} was given to {worker}, who may have pushed to its branch{ended}"
    yield str(number), SideEffect("attempt", says, event.at)


def _pull_request(event: RunEvent) -> Iterable[_Named]:
    pull: dict[str, Any] = event.data["pull_request"]
    head = f" with head {pull['head_sha'][:12]}" if pull.get("head_sha") else ""
    yield pull["url"], SideEffect("pull_request", f"a pull request exists{head}", event.at, pull["url"])


def _refused(event: RunEvent) -> Iterable[_Named]:
    if url := event.data.get("pr_url"):
        says = "a pull request was named by a worker and refused; it may be open"
        yield url, SideEffect("pull_request", says, event.at, url)


def _queue(event: RunEvent) -> Iterable[_Named]:
    url, left = event.data["pull_request"], event.data.get("reason")
    says = (
        f"it left the merge queue: {left}" if left else "it was put into the merge queue, which may merge it"
    )
    yield url, SideEffect("queue", says, event.at, url)


def _merge(event: RunEvent) -> Iterable[_Named]:
    sha = event.data["sha"]
    when = " before this run" if event.data.get("merged_before") else ""
    yield sha, SideEffect("merge", f"merged{when} as {sha}", event.at, event.data.get("pull_request"))


def _dispatch(event: RunEvent) -> Iterable[_Named]:
    url = event.data.get("url")
    yield url or str(event.seq), SideEffect("dispatch", "the deploy workflow was started", event.at, url)


def _deploy_run(event: RunEvent) -> Iterable[_Named]:
    url = event.data.get("url")
    says = f"a deploy run ended with {event.data.get('conclusion') or 'no conclusion'}"
    yield url or "", SideEffect("deploy_run", says, event.at, url)


def _deployment(event: RunEvent) -> Iterable[_Named]:
    state, url = event.data.get("state"), event.data.get("url")
    yield url or "", SideEffect("deployment", f"GitHub's deployment status says {state}", event.at, url)


def _report(event: RunEvent) -> Iterable[_Named]:
    for key, kind, says in (("check", "check_run", "a check run"), ("comment", "comment", "a comment")):
        if url := event.data.get(key):
            yield url, SideEffect(kind, f"{says} on the pull request tells how the run stands", event.at, url)


EFFECTS: dict[str, Callable[[RunEvent], Iterable[_Named]]] = {
    "work_order.claimed": _attempt,
    "attempt.ended": _attempt,
    "evidence.observed": _pull_request,
    "evidence.refused": _refused,
    "change.queued": _queue,
    "change.dequeued": _queue,
    "change.merged": _merge,
    "deploy.dispatched": _dispatch,
    "deploy.run_ended": _deploy_run,
    "deployment.reported": _deployment,
    "report.written": _report,
}
