"""Make tests/data/vendor/*.json anew from the vendors' own published descriptions.

Needs the packages that are named in tests/data/vendor/README.md on the path; tests never run this.
Prose is dropped: what stays is names, types, enums and what is required.
"""

import importlib
import importlib.metadata
import importlib.resources
import json
import sys
from pathlib import Path
from typing import Any

GITHUB_MODULE = "githubkit_schemas.v2026_03_10.models"
GITHUB_TYPES = (
    "FullRepository",
    "PullRequest",
    "PullRequestSimple",
    "DiffEntry",
    "Commit",
    "PullRequestReview",
    "PullRequestMergeResult",
    "CheckRun",
    "ReposOwnerRepoCommitsRefCheckRunsGetResponse200",
    "ReposOwnerRepoCommitsRefCheckSuitesGetResponse200",
    "CombinedCommitStatus",
    "Status",
    "WorkflowRun",
    "ReposOwnerRepoActionsRunsGetResponse200",
    "ReposOwnerRepoActionsRunsRunIdJobsGetResponse200",
    "ReposOwnerRepoActionsWorkflowsWorkflowIdRunsGetResponse200",
    "Workflow",
    "WorkflowDispatchResponse",
    "Deployment",
    "DeploymentStatus",
    "CommitComparison",
    "IssueEvent",
    "IssueComment",
    "BranchWithProtection",
    "ShortBranch",
    "GitRef",
    "ContentDirectoryItems",
    "GitTree",
    "Blob",
    "RateLimitOverview",
    "PublicUser",
    "PrivateUser",
    "BasicError",
    "RepositoryRuleDetailedOneof4",  # merge_queue
    "RepositoryRuleDetailedOneof7",  # pull_request
    "RepositoryRuleDetailedOneof8",  # required_status_checks
    # What clients send.
    "ReposOwnerRepoCheckRunsPostBodyOneof0",
    "ReposOwnerRepoCheckRunsPostBodyOneof1",
    "ReposOwnerRepoCheckRunsCheckRunIdPatchBodyAnyof0",
    "ReposOwnerRepoCheckRunsCheckRunIdPatchBodyAnyof1",
    "ReposOwnerRepoIssuesCommentsCommentIdPatchBody",
    "ReposOwnerRepoStatusesShaPostBody",
    "ReposOwnerRepoPullsPullNumberMergePutBody",
    "ReposOwnerRepoActionsWorkflowsWorkflowIdDispatchesPostBody",
    "ReposOwnerRepoDeploymentsPostBody",
    "ReposOwnerRepoDeploymentsDeploymentIdStatusesPostBody",
    "ReposOwnerRepoIssuesIssueNumberCommentsPostBody",
    "ReposOwnerRepoPullsPostBody",
)
PROSE = {"title", "description", "default", "examples", "discriminator"}
RUN_TYPES = (
    "GoogleCloudRunV2Service",
    "GoogleCloudRunV2ListServicesResponse",
    "GoogleCloudRunV2Revision",
    "GoogleCloudRunV2ListRevisionsResponse",
    "GoogleLongrunningOperation",
)
KEPT = ("type", "format", "enum", "pattern")


def bare(node: Any, names: bool = False) -> Any:
    """The schema without prose; `names` is true where keys are names of properties, not words of the schema."""
    if isinstance(node, list):
        return [bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    if not names and isinstance(node.get("anyOf"), list):
        # The generated models' own mark for "not there".
        node = {**node, "anyOf": [it for it in node["anyOf"] if it.get("const") != "<UNSET>"]}
    kept = {
        key: bare(value, names=not names and key in ("properties", "$defs"))
        for key, value in node.items()
        if names or key not in PROSE
    }
    if not names and "properties" in kept:
        # GitHub's objects are open, and an open object lets a removed field slip by.
        kept.setdefault("additionalProperties", False)
    return kept


def github_schemas() -> dict[str, Any]:
    from pydantic import TypeAdapter

    models = importlib.import_module(GITHUB_MODULE)
    wanted = [(name, TypeAdapter(getattr(models, name))) for name in GITHUB_TYPES]
    roots, defs = TypeAdapter.json_schemas([(name, "validation", adapter) for name, adapter in wanted])
    shared = bare(defs)["$defs"]
    return {
        "source": "PyPI githubkit-schemas-2026-03-10 "
        + importlib.metadata.version("githubkit-schemas-2026-03-10"),
        "revision": "GitHub REST description, API version 2026-03-10",
        "licence": "MIT",
        "roots": {name: bare(roots[(name, "validation")]) for name in GITHUB_TYPES},
        "$defs": shared,
    }


def from_discovery(node: dict[str, Any]) -> dict[str, Any]:
    """Google's discovery format is nearly JSON Schema: other reference names, the type `any`, open objects."""
    if "$ref" in node:
        return {"$ref": f"#/$defs/{node['$ref']}"}
    schema = {key: node[key] for key in KEPT if key in node and node[key] != "any"}
    if "items" in node:
        schema["items"] = from_discovery(node["items"])
    if "properties" in node:
        schema["properties"] = {name: from_discovery(child) for name, child in node["properties"].items()}
        schema["additionalProperties"] = False
    if "additionalProperties" in node:
        schema["additionalProperties"] = from_discovery(node["additionalProperties"])
    return schema


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(item) for item in node))
    return set()


def run_schemas() -> dict[str, Any]:
    folder = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents"
    document = json.loads((folder / "run.v2.json").read_text())
    wanted, closure = list(RUN_TYPES), {}
    while wanted:
        name = wanted.pop()
        if name not in closure:
            closure[name] = from_discovery(document["schemas"][name])
            wanted += references(document["schemas"][name])
    return {
        "source": "PyPI google-api-python-client "
        + importlib.metadata.version("google-api-python-client")
        + ", discovery document run.v2",
        "revision": document["revision"],
        "licence": "Apache-2.0",
        "$defs": dict(sorted(closure.items())),
    }


def main(folder: Path) -> None:
    for name, schemas in (("github-2026-03-10", github_schemas()), ("cloud-run-v2", run_schemas())):
        (folder / f"{name}.json").write_text(
            json.dumps(schemas, separators=(",", ":"), sort_keys=True) + "\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "tests/data/vendor"))
