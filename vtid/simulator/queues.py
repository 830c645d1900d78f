"""The merge queue of a branch: entries wait in order, each is built into a group, checked there, and merged or dropped.

Every group stands on the one before it. When an entry leaves without a merge, those behind it are built anew.
"""

from vtid.simulator import checks, deploys, pulls
from vtid.simulator.facts import MergeGroup, PullRequest, QueueEntry, QueueRemoval, Repository
from vtid.simulator.world import World

LOOK_S = 0.1  # between two looks of the queue at its groups
MOST_BUILT = 5


class QueueRefused(Exception):
    """GitHub says no, in its own words."""


def entry_of(repository: Repository, pull: PullRequest) -> QueueEntry | None:
    return next((it for it in repository.queue if it.pull == pull.number), None)


def position(repository: Repository, entry: QueueEntry) -> int:
    """1 is the next one to be merged."""
    return repository.queue.index(entry) + 1


def state(world: World, repository: Repository, entry: QueueEntry) -> str:
    """In GitHub's words."""
    if entry.group is None:
        return "QUEUED"
    ended = _outcome(world, repository, entry.group.head_sha)
    return {"green": "MERGEABLE", "red": "UNMERGEABLE"}.get(ended, "AWAITING_CHECKS")


def enter(world: World, repository: Repository, pull: PullRequest, expected_head: str | None) -> QueueEntry:
    _refuse(world, repository, pull, expected_head)
    entry = QueueEntry(world.next_id(), pull.number, pull.head_sha, world.now())
    repository.queue.append(entry)
    world.told(repository, "pull_request", "enqueued", pull)
    if len(repository.queue) == 1:
        _look_later(world, repository)
    return entry


def _refuse(world: World, repository: Repository, pull: PullRequest, expected_head: str | None) -> None:
    if not pulls.has_queue(world, repository, pull.base):
        raise QueueRefused("Pull request Merge queue is not enabled for this branch")
    if entry_of(repository, pull) is not None:
        raise QueueRefused("Pull request is already in the queue")
    if expected_head is not None and expected_head != pull.head_sha:
        raise QueueRefused("Pull request Head oid does not match the expected head oid")
    if pull.state != "open":
        raise QueueRefused("Pull request is closed")
    if pull.draft:
        raise QueueRefused("Pull request is in draft state")
    if not pulls.is_mergeable(repository, pull):
        raise QueueRefused("Pull request has merge conflicts")
    for name in world.behaviours.of(repository.full_name).protection.required_checks:
        if not checks.is_satisfied(repository, pull.head_sha, name):
            raise QueueRefused(f'Pull request Required status check "{name}" is expected.')


def leave(world: World, repository: Repository, pull: PullRequest, reason: str) -> QueueEntry:
    """Out of the queue without a merge; whoever is behind it is built anew."""
    entry = entry_of(repository, pull)
    if entry is None:
        raise QueueRefused("Pull request is not in the merge queue")
    place = repository.queue.index(entry)
    for behind in repository.queue[place + 1 :]:
        _unbuild(world, repository, behind)
    _remove(world, repository, entry, reason)
    world.told(repository, "pull_request", "dequeued", pull)
    return entry


def _remove(world: World, repository: Repository, entry: QueueEntry, reason: str) -> None:
    before = entry.group.head_sha if entry.group else None
    _unbuild(world, repository, entry)
    repository.queue.remove(entry)
    repository.removals.append(QueueRemoval(world.next_id(), entry.pull, reason, before, world.now()))


def _look_later(world: World, repository: Repository) -> None:
    def look() -> None:
        _drop(world, repository)
        _build(world, repository)
        _merge(world, repository)
        if repository.queue:
            _look_later(world, repository)

    world.schedule.after(LOOK_S, look)


def _drop(world: World, repository: Repository) -> None:
    timeout = world.behaviours.of(repository.full_name).queue.timeout_s
    for entry in list(repository.queue):
        pull = repository.pulls[entry.pull]
        if pull.state != "open" or pull.head_sha != entry.head_sha:
            leave(world, repository, pull, "new_commits" if pull.state == "open" else "closed")
        elif entry.group is None:
            continue
        elif _outcome(world, repository, entry.group.head_sha) == "red":
            leave(world, repository, pull, "failed_checks")
        elif world.now() - entry.group.at > timeout:
            leave(world, repository, pull, "ci_timeout")


def _build(world: World, repository: Repository) -> None:
    history = repository.history
    tip = history.branches[repository.default_branch]
    for entry in repository.queue[:MOST_BUILT]:
        pull = repository.pulls[entry.pull]
        if entry.group is not None and entry.group.base_sha != tip:
            _unbuild(world, repository, entry)
        if entry.group is None:
            if history.conflicts(tip, pull.head_sha):
                leave(world, repository, pull, "merge_conflict")
                return
            entry.group = _group(world, repository, pull, tip)
        tip = entry.group.head_sha


def _group(world: World, repository: Repository, pull: PullRequest, tip: str) -> MergeGroup:
    history, title = repository.history, f"{pull.title} (#{pull.number})"
    made = history.commit(title, history.merged_tree(tip, pull.head_sha), (tip,), world.now())
    branch = f"gh-readonly-queue/{pull.base}/pr-{pull.number}-{tip}"
    history.branches[branch] = made.sha
    group = MergeGroup(branch, made.sha, pull.base, tip, world.now())
    world.told(repository, "merge_group", "checks_requested", group)
    conclusion = world.behaviours.of(repository.full_name).queue.conclusion
    checks.start(world, repository, made.sha, trigger="merge_group", conclusion=conclusion)
    return group


def _unbuild(world: World, repository: Repository, entry: QueueEntry) -> None:
    if entry.group is not None:
        repository.history.branches.pop(entry.group.branch, None)
        world.told(repository, "merge_group", "destroyed", entry.group)
        entry.group = None


def _merge(world: World, repository: Repository) -> None:
    """The first ones whose groups are green, as many at once as there are to be: the base moves once."""
    history, wish = repository.history, world.behaviours.of(repository.full_name).queue
    ready: list[tuple[QueueEntry, MergeGroup]] = []
    for entry in repository.queue:
        if entry.group is None or _outcome(world, repository, entry.group.head_sha) != "green":
            break
        ready.append((entry, entry.group))
    if not ready or len(ready) < min(wish.together, len(repository.queue)):
        return
    history.branches[repository.default_branch] = ready[-1][1].head_sha
    for entry, group in ready:
        _remove(world, repository, entry, "merged")
        made = history.commits[group.head_sha]
        pulls.merged_as(world, repository, repository.pulls[entry.pull], made, group.base_sha)
    deploys.on_push(world, repository, repository.default_branch, history.commits[ready[-1][1].head_sha])


def _outcome(world: World, repository: Repository, sha: str) -> str:
    """What the required checks of a group say: `green`, `red`, or `open`. Without any: all that run."""
    required = world.behaviours.of(repository.full_name).protection.required_checks
    runs = checks.latest(repository, sha)
    said = [runs.get(name) for name in required] if required else list(runs.values())
    ended = [run for run in said if run is not None and run.status == "completed"]
    if any(run.conclusion not in ("success", "neutral", "skipped") for run in ended):
        return "red"
    return "green" if len(ended) == len(said) else "open"
