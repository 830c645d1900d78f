"""The life of a pull request: opened, pushed to, merged."""

from collections.abc import Mapping
from dataclasses import dataclass

from vtid.simulator import checks, deploys
from vtid.simulator.facts import IssueEvent, PullRequest, Repository
from vtid.simulator.history import Commit, FileChange
from vtid.simulator.world import World


class MergeRefused(Exception):
    """GitHub says no, in its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Opening:
    title: str
    head: str
    base: str
    body: str = ""
    draft: bool = False
    fork: bool = False


def branch_from(
    world: World, repository: Repository, opening: Opening, files: Mapping[str, str | None]
) -> str:
    """Put the files on a new commit of the head branch.

    The branch is made from base where it does not exist, and anew where an ended pull request has used it up.
    """
    history = repository.history
    start = history.branches.get(opening.head, history.branches[opening.base])
    if any(it.head_branch == opening.head for it in repository.pulls.values()):
        start = history.branches[opening.base]
    tip = history.commits[start]
    tree = {path: content for path, content in {**tip.tree, **files}.items() if content is not None}
    made = history.commit(opening.title, tree, (tip.sha,), world.now())
    if not opening.fork:
        history.branches[opening.head] = made.sha
    return made.sha


def open_pull(world: World, repository: Repository, opening: Opening, head_sha: str) -> PullRequest:
    now = world.now()
    number = max((*repository.pulls, 0)) + 1
    pull = PullRequest(
        id=world.next_id(),
        number=number,
        title=opening.title,
        body=opening.body,
        head_branch=opening.head,
        head_sha=head_sha,
        base=opening.base,
        base_sha=repository.history.branches[opening.base],
        created_at=now,
        updated_at=now,
        draft=opening.draft,
        fork_owner="somebody-else" if opening.fork else None,
    )
    repository.pulls[number] = pull
    checks.start(world, repository, head_sha)
    world.told(repository, "pull_request", "opened", pull)
    return pull


def push(world: World, repository: Repository, pull: PullRequest, files: Mapping[str, str | None]) -> str:
    """The head moves; what was checked before says nothing about it."""
    history = repository.history
    tip = history.commits[pull.head_sha]
    tree = {path: content for path, content in {**tip.tree, **files}.items() if content is not None}
    made = history.commit(f"Update {pull.title}", tree, (tip.sha,), world.now())
    if pull.fork_owner is None:
        history.branches[pull.head_branch] = made.sha
    if pull.state == "open":
        pull.head_sha = made.sha
        pull.base_sha = history.branches[pull.base]
        pull.updated_at = world.now()
        world.told(repository, "pull_request", "synchronize", pull)
    checks.start(world, repository, made.sha)
    return made.sha


def close(world: World, repository: Repository, pull: PullRequest) -> None:
    pull.state = "closed"
    pull.closed_at = pull.updated_at = world.now()
    repository.events.append(IssueEvent(world.next_id(), pull.number, "closed", pull.merge_sha, world.now()))
    world.told(repository, "pull_request", "closed", pull)


def merge(
    world: World, repository: Repository, pull: PullRequest, *, sha: str | None, method: str, message: str
) -> Commit:
    refuse_merge(world, repository, pull, sha)
    history = repository.history
    tip = history.branches[pull.base]
    tree = history.merged_tree(tip, pull.head_sha)
    parents = (tip, pull.head_sha) if method == "merge" else (tip,)
    made = history.commit(message, tree, parents, world.now())
    history.branches[pull.base] = made.sha
    merged_as(world, repository, pull, made, tip)
    deploys.on_push(world, repository, pull.base, made)
    return made


def merged_as(world: World, repository: Repository, pull: PullRequest, made: Commit, tip: str) -> None:
    """The base has this commit of the pull request now, on top of what was its tip."""
    pull.base_sha = tip
    pull.merge_sha = made.sha
    pull.merged_at = world.now()
    repository.events.append(IssueEvent(world.next_id(), pull.number, "merged", made.sha, world.now()))
    close(world, repository, pull)


def refuse_merge(world: World, repository: Repository, pull: PullRequest, sha: str | None) -> None:
    if pull.state != "open":
        raise MergeRefused(405, "Pull Request is not mergeable")
    if pull.draft:
        raise MergeRefused(405, "Pull Request is still a draft")
    if sha is not None and sha != pull.head_sha:
        raise MergeRefused(409, "Head branch was modified. Review and try the merge again.")
    if not is_mergeable(repository, pull):
        raise MergeRefused(405, "Pull Request is not mergeable")
    if has_queue(world, repository, pull.base):
        text = "Repository rule violations found\n\nChanges must be made through the merge queue\n\n"
        raise MergeRefused(405, text)
    for name in world.behaviours.of(repository.full_name).protection.required_checks:
        if not checks.is_satisfied(repository, pull.head_sha, name):
            raise MergeRefused(405, f'Required status check "{name}" is expected.')


def has_queue(world: World, repository: Repository, branch: str) -> bool:
    return branch == repository.default_branch and world.behaviours.of(repository.full_name).queue.enabled


def is_mergeable(repository: Repository, pull: PullRequest) -> bool:
    history = repository.history
    return not history.conflicts(history.branches[pull.base], pull.head_sha)


def read_mergeable(repository: Repository, pull: PullRequest) -> bool | None:
    """None to the first reader after head or base moved: that read starts the computation."""
    if pull.state != "open":
        return None
    asked_for = (pull.head_sha, repository.history.branches[pull.base])
    if pull.mergeability_read != asked_for:
        pull.mergeability_read = asked_for
        return None
    return is_mergeable(repository, pull)


def fork_point(repository: Repository, pull: PullRequest) -> str:
    """A pull request shows what its head adds, not what base has gained meanwhile."""
    tip = pull.base_sha if pull.merged_at else repository.history.branches[pull.base]
    return repository.history.merge_base(tip, pull.head_sha)


def files_of(repository: Repository, pull: PullRequest) -> list[FileChange]:
    return repository.history.diff(fork_point(repository, pull), pull.head_sha)


def commits_of(repository: Repository, pull: PullRequest) -> list[Commit]:
    return repository.history.only_in(pull.head_sha, fork_point(repository, pull))
