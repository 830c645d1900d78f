"""Every call of the vendors that we make, with the vendor's own schema of what is sent and what is answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.contract.recorder import Exchange
from tests.simulator import graphql_oracle
from tests.simulator.oracle import faults

GITHUB, CLOUD_RUN, GRAPHQL = "github-2026-03-10", "cloud-run-v2", "github.graphql"


@dataclass(frozen=True)
class Call:
    """answered: the schema of a success, in brackets for each item of a list; None: no JSON. sent: any of these."""

    method: str
    path: str  # {} is any part, {*} any rest
    answered: str | None
    sent: tuple[str, ...] = ()
    vendor: str = GITHUB

    def is_of(self, exchange: Exchange) -> bool:
        pattern = re.escape(self.path).replace(r"\{\*\}", ".+").replace(r"\{\}", "[^/]+")
        return (
            exchange.method == self.method
            and re.fullmatch(f"(/api(/v3)?)?{pattern}", exchange.path) is not None
        )


REPO = "/repos/{}/{}"
RULES = "[RepositoryRuleDetailedOneof4|RepositoryRuleDetailedOneof7|RepositoryRuleDetailedOneof8]"
SERVICE = "/v2/projects/{}/locations/{}/services/{}"
POST_CHECK = ("ReposOwnerRepoCheckRunsPostBodyOneof0", "ReposOwnerRepoCheckRunsPostBodyOneof1")
PATCH_CHECK = (
    "ReposOwnerRepoCheckRunsCheckRunIdPatchBodyAnyof0",
    "ReposOwnerRepoCheckRunsCheckRunIdPatchBodyAnyof1",
)

# fmt: off
CALLS = (
    Call("GET",   "/user",                                   "PublicUser|PrivateUser"),
    Call("GET",   REPO,                                      "FullRepository"),
    Call("GET",   REPO + "/pulls",                           "[PullRequestSimple]"),
    Call("GET",   REPO + "/pulls/{}",                        "PullRequest"),
    Call("GET",   REPO + "/pulls/{}/files",                  "[DiffEntry]"),
    Call("PUT",   REPO + "/pulls/{}/merge",                  "PullRequestMergeResult", ("ReposOwnerRepoPullsPullNumberMergePutBody",)),
    Call("GET",   REPO + "/issues/{}/events",                "[IssueEvent]"),
    Call("GET",   REPO + "/issues/{}/comments",              "[IssueComment]"),
    Call("POST",  REPO + "/issues/{}/comments",              "IssueComment", ("ReposOwnerRepoIssuesIssueNumberCommentsPostBody",)),
    Call("PATCH", REPO + "/issues/comments/{}",              "IssueComment", ("ReposOwnerRepoIssuesCommentsCommentIdPatchBody",)),
    Call("GET",   REPO + "/commits/{}/check-runs",           "ReposOwnerRepoCommitsRefCheckRunsGetResponse200"),
    Call("GET",   REPO + "/commits/{}/status",               "CombinedCommitStatus"),
    Call("GET",   REPO + "/commits/{}/pulls",                "[PullRequestSimple]"),
    Call("GET",   REPO + "/commits/{}",                      "Commit"),
    Call("GET",   REPO + "/check-runs/{}",                   "CheckRun"),
    Call("POST",  REPO + "/check-runs",                      "CheckRun", POST_CHECK),
    Call("PATCH", REPO + "/check-runs/{}",                   "CheckRun", PATCH_CHECK),
    Call("POST",  REPO + "/statuses/{}",                     "Status", ("ReposOwnerRepoStatusesShaPostBody",)),
    Call("GET",   REPO + "/rules/branches/{*}",              RULES),
    Call("GET",   REPO + "/branches/{*}",                    "BranchWithProtection"),
    Call("GET",   REPO + "/compare/{*}",                     "CommitComparison"),
    Call("GET",   REPO + "/git/trees/{*}",                   "GitTree"),
    Call("GET",   REPO + "/contents/{*}",                    "[ContentDirectoryItems]"),
    Call("GET",   REPO + "/git/blobs/{}",                    "Blob"),
    Call("GET",   REPO + "/actions/runs",                    "ReposOwnerRepoActionsRunsGetResponse200"),
    Call("GET",   REPO + "/actions/runs/{}",                 "WorkflowRun"),
    Call("GET",   REPO + "/actions/runs/{}/jobs",            "ReposOwnerRepoActionsRunsRunIdJobsGetResponse200"),
    Call("GET",   REPO + "/actions/jobs/{}/logs",            None),
    Call("GET",   "/_logs/{*}",                              None),  # where the simulator's redirect leads
    Call("POST",  REPO + "/actions/workflows/{}/dispatches", "WorkflowDispatchResponse", ("ReposOwnerRepoActionsWorkflowsWorkflowIdDispatchesPostBody",)),
    Call("GET",   REPO + "/deployments",                     "[Deployment]"),
    Call("POST",  REPO + "/deployments",                     "Deployment", ("ReposOwnerRepoDeploymentsPostBody",)),
    Call("GET",   REPO + "/deployments/{}/statuses",         "[DeploymentStatus]"),
    Call("POST",  REPO + "/deployments/{}/statuses",         "DeploymentStatus", ("ReposOwnerRepoDeploymentsDeploymentIdStatusesPostBody",)),
    Call("POST",  "/graphql",                                None, vendor=GRAPHQL),
    Call("GET",   SERVICE,                                   "GoogleCloudRunV2Service", vendor=CLOUD_RUN),
    Call("PATCH", SERVICE,                                   "GoogleLongrunningOperation", ("GoogleCloudRunV2Service",), CLOUD_RUN),
    Call("GET",   SERVICE + "/revisions",                    "GoogleCloudRunV2ListRevisionsResponse", vendor=CLOUD_RUN),
    Call("GET",   SERVICE + "/revisions/{}",                 "GoogleCloudRunV2Revision", vendor=CLOUD_RUN),
)
# fmt: on

_ENUM_NUMBER = re.compile(r"(type|state): \d+ is not (one of|of type 'string')")
# Sent on purpose beyond the schema: GitHub's description of this version has no such field, and older ones need it.
_BEYOND = {"ReposOwnerRepoActionsWorkflowsWorkflowIdDispatchesPostBody": {"return_run_details"}}


def misfits(exchanges: Iterable[Exchange]) -> Iterator[str]:
    """Everything in these exchanges that the vendor's schemas do not allow, or do not know."""
    for exchange in exchanges:
        call = next((each for each in CALLS if each.is_of(exchange)), None)
        what = f"{exchange.method} {exchange.path}"
        if call is None:
            yield f"{what}: a call that stands in no schema of ours; add it to CALLS"
            continue
        if call.vendor == GRAPHQL:
            yield from (
                f"{what}: {fault}" for fault in graphql_oracle.faults(exchange.sent, exchange.answered)
            )
            continue
        if exchange.sent is not None or call.sent:
            yield from (f"{what} sent: {fault}" for fault in _sent_faults(call, exchange))
        yield from (f"{what} answered {exchange.status}: {fault}" for fault in _answer_faults(call, exchange))


def _sent_faults(call: Call, exchange: Exchange) -> list[str]:
    if not call.sent:
        return ["a body where none belongs"]
    found = []
    for kind in call.sent:
        body = {k: v for k, v in (exchange.sent or {}).items() if k not in _BEYOND.get(kind, set())}
        found.append(_allowed_or(call.vendor, kind, body))
    return min(found, key=len)


def _answer_faults(call: Call, exchange: Exchange) -> list[str]:
    if exchange.status >= 400:
        return faults(GITHUB, "BasicError", exchange.answered) if call.vendor == GITHUB else []
    if call.answered is None or exchange.status in (204, 302):
        return []
    kind = call.answered.strip("[]")
    items = exchange.answered if call.answered.startswith("[") else [exchange.answered]
    return [
        fault
        for item in items
        for fault in min((faults(call.vendor, k, item) for k in kind.split("|")), key=len)
    ]


def _allowed_or(vendor: str, kind: str, body: object) -> list[str]:
    """What is wrong with a body. Google takes the number of an enum's value for its name."""
    found = faults(vendor, kind, body)
    return [fault for fault in found if not (vendor == CLOUD_RUN and _ENUM_NUMBER.search(fault))]
