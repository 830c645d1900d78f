"""Repositories whose history is a real git repository: what was pushed there happens here as on GitHub."""

from pathlib import Path

from vtid.simulator import checks, deploys
from vtid.simulator.facts import Repository
from vtid.simulator.git_history import GitHistory, NoGit
from vtid.simulator.world import World, first_tree


class Taken(Exception):
    """The repository has a past that the directory does not know; the text says what to do."""


def link(world: World, full_name: str, default_branch: str, directory: Path) -> Repository:
    """The repository with this directory as its history; a new directory gets a first commit.

    Raises NoGit when the directory cannot be used, Taken when pull requests refer to another history.
    """
    known = world.repository(full_name)
    if known is not None and isinstance(known.history, GitHistory):
        if known.history.directory != directory:
            raise Taken(f"{full_name} is linked to {known.history.directory} already")
        return known
    if known is not None and known.pulls:
        raise Taken(f"{full_name} has pull requests; link it before the first one, or reset")
    history = GitHistory(full_name, directory, default_branch)
    if not history.branches:
        history.branches[default_branch] = history.commit(
            "Initial commit", first_tree(full_name), (), world.now()
        ).sha
    if default_branch not in history.branches:
        raise NoGit(f"{directory} has no branch {default_branch}")
    made = known or world.add_repository(full_name, default_branch)
    made.default_branch, made.history = default_branch, history
    return made


def catch_up(world: World, repository: Repository) -> None:
    """Let the pushes since the last look happen: heads move, checks start, the default branch deploys."""
    history = repository.history
    if not isinstance(history, GitHistory):
        return
    moved = history.look()
    for pull in repository.pulls.values():
        head = history.branches.get(pull.head_branch)
        if pull.state != "open" or pull.fork_owner is not None or head in (None, pull.head_sha):
            continue
        pull.head_sha, pull.base_sha = head or "", history.branches[pull.base]
        pull.updated_at = world.now()
        world.told(repository, "pull_request", "synchronize", pull)
        checks.start(world, repository, pull.head_sha)
    if moved.get(repository.default_branch):
        tip = history.commits[history.branches[repository.default_branch]]
        deploys.on_push(world, repository, repository.default_branch, tip)
