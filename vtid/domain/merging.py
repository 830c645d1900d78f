"""What a pull request itself says of a merge that is wanted of exactly one head into exactly one base. Pure.

Whoever merges (we, a queue, a person), the same facts mean the same.
"""

from vtid.domain.change import MergeAnswer, MergeKind, PullRequest


def ended_by_reading(
    pull: PullRequest | None, head_sha: str, base: str, *, merged_before: bool
) -> MergeAnswer | None:
    """The answer that it gives already, or None while this head can be merged into this base.

    What was merged otherwise than it was validated is nobody's success: a person may adopt it.
    """
    if pull is None:
        return MergeAnswer(MergeKind.REFUSED, "GitHub does not show the pull request any more")
    if pull.merged and (pull.head_sha != head_sha or pull.base != base):
        text = (
            f"somebody merged {pull.head_sha[:12]} into {pull.base}; validated was {head_sha[:12]} "
            f"for {base}. Adopt it if it is right"
        )
        return MergeAnswer(MergeKind.REFUSED, text, head_sha=pull.head_sha)
    if pull.merged:
        sha, head = pull.merge_sha, pull.head_sha
        return MergeAnswer(MergeKind.MERGED, sha=sha, head_sha=head, merged_before=merged_before)
    if not pull.is_open:
        return MergeAnswer(MergeKind.CLOSED, "the pull request is closed", head_sha=pull.head_sha)
    if pull.head_sha != head_sha:
        text = f"the head is {pull.head_sha[:12]}, validated was {head_sha[:12]}"
        return MergeAnswer(MergeKind.HEAD_MOVED, text, head_sha=pull.head_sha)
    if pull.base != base:
        # GitHub pins the head of a merge, not where it goes.
        text = f"its base is {pull.base} now, planned was {base}"
        return MergeAnswer(MergeKind.REFUSED, text, head_sha=pull.head_sha)
    return None
