"""Which change that was merged before a run is that run's work, and which is not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vtid.domain.change import PullRequest


@dataclass(frozen=True)
class Approval:
    """A version of the spec was approved."""

    spec_hash: str
    at: datetime


@dataclass(frozen=True)
class PassedOver:
    """A merged pull request of the VTID that is not the work of this run, and why, as a sentence."""

    url: str
    reason: str


@dataclass(frozen=True)
class MergedBefore:
    """pull_request: the change that is this run's work and stands on the base branch; None: it is to be built."""

    pull_request: PullRequest | None = None
    passed_over: tuple[PassedOver, ...] = ()


def merged_before(
    ours: Iterable[PullRequest],
    all_seen: Sequence[PullRequest],
    spec_hash: str,
    approvals: Sequence[Approval],
) -> MergedBefore:
    """The change that was merged last and still stands, if it was built for this spec.

    ours: the pull requests of the VTID. all_seen: these and others, among them those that revert one of ours.
    A merge belongs to the spec that was approved last before it. Before any approval nothing speaks against it.
    """
    reverts = _reverts(all_seen)
    passed_over: list[PassedOver] = []
    for pull in sorted((each for each in ours if each.merged), key=_moment, reverse=True):
        revert = reverts.get(pull.number)
        if revert is not None:
            passed_over.append(PassedOver(pull.url, f"it was reverted by {revert.url}"))
            continue
        built_for = _approved_at(approvals, _moment(pull))
        if built_for not in (None, spec_hash):
            reason = f"it was merged for the spec {built_for[:12]}, and this run is for {spec_hash[:12]}"
            return MergedBefore(None, (*passed_over, PassedOver(pull.url, reason)))
        return MergedBefore(pull, tuple(passed_over))
    return MergedBefore(None, tuple(passed_over))


def _moment(pull: PullRequest) -> datetime:
    return pull.merged_at or pull.created_at


def _approved_at(approvals: Sequence[Approval], moment: datetime) -> str | None:
    """The hash that was approved last by then."""
    before = [each for each in approvals if each.at <= moment]
    return max(before, key=lambda each: each.at).spec_hash if before else None


def _reverts(pulls: Sequence[PullRequest]) -> dict[int, PullRequest]:
    """Number of a reverted pull request → the merged one that reverts it, and was not reverted itself.

    GitHub's button makes such a branch; what is reverted by hand cannot be told from other changes.
    """
    standing: dict[int, PullRequest] = {}
    # Newest first: whether a revert stands is known before what it reverts is looked at.
    for pull in sorted((each for each in pulls if each.merged), key=_moment, reverse=True):
        number = pull.reverts
        if number is not None and pull.number not in standing:
            standing.setdefault(number, pull)
    return standing
