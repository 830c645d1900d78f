"""The workflow files of a branch on GitHub: what starts them, and under which names their checks come."""

import re
from typing import Any

import yaml

from vtid.adapters.errors import reading, shortened
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_files import text_of
from vtid.adapters.github_wire import GitHubWire, part, place
from vtid.domain.errors import Missing
from vtid.domain.group_checks import WorkflowFile

FOLDER = ".github/workflows"
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def workflow_files(wire: GitHubWire, repository: str, branch: str) -> tuple[WorkflowFile, ...]:
    """Every one of them; none when the branch has no such folder."""
    address = f"{place(repository)}/contents/{FOLDER}"
    try:
        listed = wire.get(address, ref=branch)
    except Missing:
        wire.get(f"{place(repository)}/branches/{part(branch)}")  # hidden is not absent
        return ()
    with reading(SYSTEM, address):
        wanted = {str(each["path"]): str(each["sha"]) for each in listed if each["type"] == "file"}
    return tuple(
        read(path, text_of(wire, repository, sha))
        for path, sha in wanted.items()
        if path.endswith((".yml", ".yaml"))
    )


def read(path: str, text: str) -> WorkflowFile:
    """What the file says. One that is no workflow has a problem, and is no error of GitHub's."""
    try:
        # Texts only: to YAML 1.1 the word `on` would be a truth value.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - this loader makes no objects
    except yaml.YAMLError as cause:
        return WorkflowFile(path, problem=f"no YAML: {shortened(str(cause))}")
    jobs = content.get("jobs") if isinstance(content, dict) else None
    if not isinstance(jobs, dict):
        return WorkflowFile(path, problem="it has no jobs")
    return WorkflowFile(
        path, _triggers(content.get("on")), tuple(_check_name(key, job) for key, job in jobs.items())
    )


def _triggers(told: Any) -> tuple[str, ...]:
    """`on` is one event, a list of them, or a map from each to its filters."""
    if isinstance(told, str):
        return (told,) if told else ()
    return tuple(each for each in told or () if isinstance(each, str))


def _check_name(key: str, job: Any) -> str:
    name = job.get("name") if isinstance(job, dict) else None
    return _EXPRESSION.sub("*", name if isinstance(name, str) and name else key)
