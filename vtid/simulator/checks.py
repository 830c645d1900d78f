"""Check runs: they register, they run, they end."""

from collections.abc import Callable

from vtid.simulator import workflow_files
from vtid.simulator.facts import CheckRun, Repository
from vtid.simulator.schedule import moment
from vtid.simulator.world import World

# A check is seen as queued, then as running: a reader that only knows "done" must not get away with it.
QUEUED_PART = 0.2


def start(
    world: World,
    repository: Repository,
    sha: str,
    *,
    trigger: str = "pull_request",
    conclusion: str | None = None,
) -> None:
    """The checks that CI starts for a new head, or for a merge queue's group (`trigger`)."""
    behaviour = world.behaviours.of(repository.full_name).checks
    if not behaviour.auto:
        return
    tree = repository.history.commits[sha].tree
    broken = broken_files(repository, sha, behaviour.fails_on)
    conclusion = "failure" if broken else conclusion or behaviour.conclusion
    for name in (it for it in behaviour.names if workflow_files.starts(tree, it, trigger)):
        check = add(world, repository, sha, name)
        check.summary = f"{', '.join(broken)}: holds {behaviour.fails_on!r}" if broken else None
        if behaviour.after_s == 0:
            finish(world, repository, check, conclusion)
            continue
        world.schedule.after(behaviour.after_s * QUEUED_PART, beginner(world, check))
        world.schedule.after(behaviour.after_s, finisher(world, repository, check, conclusion))


def broken_files(repository: Repository, sha: str, text: str | None) -> list[str]:
    tree = repository.history.commits[sha].tree
    return sorted(path for path, content in tree.items() if text and text in content)


def add(world: World, repository: Repository, sha: str, name: str) -> CheckRun:
    check = CheckRun(world.next_id(), name, sha)
    repository.checks.append(check)
    world.told(repository, "check_run", "created", check)
    return check


def beginner(world: World, check: CheckRun) -> Callable[[], None]:
    def begin() -> None:
        if check.status == "queued":
            check.status, check.started_at = "in_progress", world.now()

    return begin


def finisher(world: World, repository: Repository, check: CheckRun, conclusion: str) -> Callable[[], None]:
    def end() -> None:
        # Whoever set it by hand meanwhile meant it.
        if check.status != "completed":
            finish(world, repository, check, conclusion)

    return end


def finish(world: World, repository: Repository, check: CheckRun, conclusion: str) -> None:
    check.started_at = check.started_at or world.now()
    check.status, check.conclusion, check.completed_at = "completed", conclusion, world.now()
    check.log = job_log(check, moment(world.now(), digits=6))
    world.told(repository, "check_run", "completed", check)


def job_log(check: CheckRun, at: str) -> str:
    """The log of the job behind it, each line with its time, as GitHub Actions writes them."""
    lines = ["##[group]Run make check", f"make check  # {check.head_sha[:12]}", "##[endgroup]"]
    if check.conclusion == "failure":
        lines += [f"FAILED {check.summary or check.name}", "##[error]Process completed with exit code 2."]
    else:
        lines += [f"{check.name}: {check.conclusion}"]
    return "".join(f"{at} {line}\n" for line in lines)


def tell(
    world: World, repository: Repository, sha: str, name: str, status: str, conclusion: str | None
) -> CheckRun:
    """Set by hand. A check that had ended is run anew, as a re-run does; one under way is moved on."""
    check = latest(repository, sha).get(name)
    if check is None or check.status == "completed":
        check = add(world, repository, sha, name)
    if status == "completed":
        finish(world, repository, check, conclusion or "success")
    else:
        check.status = status
        if status == "in_progress":
            check.started_at = check.started_at or world.now()
    return check


def is_satisfied(repository: Repository, sha: str, name: str) -> bool:
    """Whether a required check is there and does not say no: the latest check run, or the latest status."""
    run = latest(repository, sha).get(name)
    said = [it.state for it in repository.statuses if it.sha == sha and it.context == name]
    if run is not None:
        return run.conclusion in ("success", "neutral", "skipped")
    return said[-1:] == ["success"]


def latest_of_each_app(repository: Repository, sha: str) -> list[CheckRun]:
    """The newest check run of each name and app: GitHub's default filter looks into one suite at a time."""
    return list({(it.name, it.app): it for it in repository.checks if it.head_sha == sha}.values())


def latest(repository: Repository, sha: str) -> dict[str, CheckRun]:
    """The newest check run of each name, whoever ran it."""
    return {check.name: check for check in repository.checks if check.head_sha == sha}
