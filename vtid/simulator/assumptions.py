"""What no schema can tell, and where we have it from. docs/ is made from this table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Assumption:
    name: str
    what: str
    source: str


READ = "read in GitHub's REST documentation"
MEASURED = "measured with the client library"

ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption(
        "no-merge-commit-sha",
        "Pull requests carry neither merge_commit_sha nor assignee; the merge answer is the only direct source of the commit",
        "difference of the generated models of versions 2022-11-28 and 2026-03-10",
    ),
    Assumption(
        "mergeable-null",
        "mergeable is null for the first reader after head or base moved; that read starts the computation",
        READ + " (checking mergeability of pull requests)",
    ),
    Assumption(
        "merge-405",
        "405 where a pull request is closed, merged, a draft, in conflict, or lacks a required check; told apart by message only",
        READ + "; messages as users report them",
    ),
    Assumption(
        "merge-409",
        "409 'Head branch was modified. Review and try the merge again.' where sha is not the head",
        READ,
    ),
    Assumption(
        "merge-not-idempotent",
        "A second merge of a merged pull request answers 405, also when the first answer was lost",
        MEASURED + ": a replayed PUT is told 405 though its own merge landed",
    ),
    Assumption(
        "merged-event",
        "The issue event 'merged' carries the merge commit as commit_id",
        READ + " (issue event types)",
    ),
    Assumption(
        "checks-latest",
        "check-runs lists the newest run of each name and app unless filter=all; the order is that of registration",
        "the filter is documented; the order is our assumption",
    ),
    Assumption(
        "combined-status-pending",
        "The combined status of a commit without statuses reads 'pending', though check runs may be green",
        READ + " (get the combined status for a specific reference)",
    ),
    Assumption(
        "job-log",
        "A check run of GitHub Actions is a job with the same id; its log is a 302 to another place, whose address carries "
        "the permission and which refuses credentials beside it",
        READ
        + " (download job logs for a workflow run); that the store refuses credentials is as users report it",
    ),
    Assumption(
        "run-on-push",
        "A merge starts the push workflow at once, with head_sha = merge commit; a newer run may cancel it",
        READ + " (events that trigger workflows, concurrency)",
    ),
    Assumption(
        "dispatch-twice",
        "A dispatch that is sent twice runs twice",
        MEASURED,
    ),
    Assumption(
        "dispatch-answer",
        "200 with the run's id under version 2026-03-10, whose schema has no return_run_details; before, 204 unless asked",
        "generated models of both versions; the client library asks in either",
    ),
    Assumption(
        "queue-405",
        "A merge on a branch with a merge queue answers 405 'Changes must be made through the merge queue'",
        "messages as users report them",
    ),
    Assumption(
        "queue-graphql",
        "REST neither enters nor leaves a queue; names and types of enqueuePullRequest, dequeuePullRequest and mergeQueueEntry are of "
        "GitHub's published GraphQL schema. A refusal is an error of type UNPROCESSABLE under a 200",
        "@octokit/graphql-schema; the error's type and words as users report them",
    ),
    Assumption(
        "queue-entry-head",
        "headCommit of an entry, and beforeCommit of its removal, are the head of its group: the commit that merge_group workflows check",
        "the schema names them; what they hold is as users report it",
    ),
    Assumption(
        "queue-removal",
        "Leaving the queue is told with a reason, also by a merge (`merged`, a moment before the pull request says so), and `failed_checks` "
        "where the group is red; the other reasons' spelling is ours",
        "as users report it",
    ),
    Assumption(
        "queue-groups",
        "Each entry is built on the one before it, on a branch gh-readonly-queue/BASE/pr-N-SHA; several that are merged together move "
        "the base once, to the last of them; a push to the head takes the entry out",
        READ + " (managing a merge queue); order and time of the building are ours",
    ),
    Assumption(
        "queue-checks",
        "A check runs on a group only if its workflow file listens to merge_group; one that stands in no file is another app's, and runs",
        READ + " (events that trigger workflows)",
    ),
    Assumption(
        "image-reference",
        "A revision's container image carries tag and digest in one reference",
        "valid reference syntax; that Cloud Run shows both is our assumption. The client has no containerStatuses",
    ),
    Assumption(
        "whole-trees",
        "git/trees with recursive lists every file of a commit; beyond 100,000 entries GitHub says truncated, which we never do",
        READ + " (get a tree)",
    ),
    Assumption(
        "no-commit-for-sha",
        "An unknown SHA under /commits answers 422 'No commit found for SHA', not 404",
        READ + "; as users report it",
    ),
    Assumption(
        "credentials",
        "No credentials: 401 'Requires authentication'; wrong ones: 401 'Bad credentials'",
        "as users report it",
    ),
    Assumption(
        "app-tokens",
        "An App signs for at most ten minutes (RS256); a token of its installation holds an hour, writes as SLUG[bot], and may not read /user",
        READ + " (authenticating as an App)",
    ),
    Assumption(
        "private-service",
        "A private service answers 403 to who brings nothing, 401 to a token that is not for its address or has expired",
        "from memory of Cloud Run's documentation; not tried live",
    ),
    Assumption(
        "metadata-server",
        "ID tokens come from the machine's metadata server, for the audience that is asked for; it is known by the header "
        "Metadata-Flavor, and answers only who sends it",
        MEASURED + " (google-auth)",
    ),
    Assumption(
        "settled",
        "While reconciling, observedGeneration lags and trafficStatuses, latestReadyRevision and uri are of before",
        "text of Google's discovery document run.v2",
    ),
    Assumption(
        "failed-rollout",
        "After a revision that never became ready, the template shows the new commit and the old revision serves",
        "text of Google's discovery document run.v2, and the field meanings in it",
    ),
    Assumption(
        "traffic-latest",
        "A full rollout makes the target LATEST; its status names the revision",
        "text of Google's discovery document run.v2",
    ),
    Assumption(
        "sticky-template",
        "A deploy carries env and secrets of the template before it over, and replaces the commit",
        "behaviour of gcloud run deploy with --update-env-vars and --update-labels, not tried live",
    ),
    Assumption(
        "label-lower-case",
        "Label values are lower-case and at most 63 characters long",
        "rules for labels of Google Cloud",
    ),
    Assumption(
        "traffic-operation",
        "A change of traffic is a long-running operation, done when the service is settled again",
        "google-cloud-run's own client waits for it",
    ),
)
