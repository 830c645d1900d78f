"""Commits, comparisons, check runs and commit statuses."""

from starlette.responses import Response

from vtid.simulator import checks, pulls
from vtid.simulator.facts import CheckRun, CommitStatus
from vtid.simulator.github.call import Call, RouteTable, answer, invalid, not_found, paged
from vtid.simulator.github.checks import check_json, combined_status_json, created_status_json, suites_json
from vtid.simulator.github.commits import commit_json, comparison_json, whole_commit_json
from vtid.simulator.github.pulls import simple_pull_json

CHECK_STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
CHECK_CONCLUSIONS = (
    *("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"),
    "stale",
)


def list_commits(call: Call) -> Response:
    history = call.repository.history
    tip = call.commit(call.query("sha", call.repository.default_branch))
    return paged(call, [commit_json(call.place, history.commits[it]) for it in history.ancestors(tip.sha)])


def get_commit(call: Call) -> Response:
    return answer(call, whole_commit_json(call.place, call.commit(call.path("ref"))))


def list_check_runs(call: Call) -> Response:
    sha = call.commit(call.path("ref")).sha
    everything = [it for it in call.repository.checks if it.head_sha == sha]
    found = everything if call.query("filter") == "all" else checks.latest_of_each_app(call.repository, sha)
    wanted = [
        it
        for it in found
        if call.query("check_name") in ("", it.name) and call.query("status") in ("", it.status)
    ]
    return paged(call, [check_json(call.place, it) for it in wanted], "check_runs")


def list_check_suites(call: Call) -> Response:
    sha = call.commit(call.path("ref")).sha
    return paged(call, suites_json(call.place, sha), "check_suites")


def combined_status(call: Call) -> Response:
    return answer(call, combined_status_json(call.place, call.commit(call.path("ref")).sha))


def list_statuses(call: Call) -> Response:
    sha = call.commit(call.path("ref")).sha
    newest_first = [it for it in call.repository.statuses if it.sha == sha][::-1]
    return paged(call, [created_status_json(call.place, it) for it in newest_first])


def create_status(call: Call) -> Response:
    state = call.text("state")
    if state not in ("error", "failure", "pending", "success"):
        raise invalid("state")
    made = CommitStatus(
        call.world.next_id(),
        call.commit(call.path("sha")).sha,
        call.text("context", "default"),
        state,
        call.optional("description"),
        call.optional("target_url"),
        call.world.now(),
    )
    call.repository.statuses.append(made)
    call.changed("commit_status")
    return answer(call, created_status_json(call.place, made), 201)


def pulls_of_commit(call: Call) -> Response:
    sha = call.commit(call.path("ref")).sha
    found = [
        pull
        for pull in call.repository.pulls.values()
        if sha == pull.merge_sha or any(it.sha == sha for it in pulls.commits_of(call.repository, pull))
    ]
    return paged(call, [simple_pull_json(call.place, it) for it in found])


def compare(call: Call) -> Response:
    base, dots, head = call.path("span").partition("...")
    history = call.repository.history
    ends = [history.find(it.rpartition(":")[2]) for it in (base, head)]
    if not dots or ends[0] is None or ends[1] is None:
        raise not_found()
    return answer(call, comparison_json(call.place, ends[0], ends[1]))


def get_check(call: Call) -> Response:
    return answer(call, check_json(call.place, find_check(call)))


def create_check(call: Call) -> Response:
    sha = call.commit(call.text("head_sha")).sha
    check = CheckRun(call.world.next_id(), call.text("name"), sha, app="vtid")
    write_check(call, check)
    call.repository.checks.append(check)
    call.changed("check_run")
    return answer(call, check_json(call.place, check), 201)


def edit_check(call: Call) -> Response:
    check = find_check(call)
    write_check(call, check)
    call.changed("check_run_edit")
    return answer(call, check_json(call.place, check))


def rerequest_check(call: Call) -> Response:
    """The re-run button: whoever made the check run is told, and nothing else changes."""
    check = find_check(call)
    call.changed("check_run_rerequest")
    call.world.told(call.repository, "check_run", "rerequested", check)
    return answer(call, {}, 201)


def find_check(call: Call) -> CheckRun:
    number = call.number("id")
    found = next((it for it in call.repository.checks if it.id == number), None)
    if found is None:
        raise not_found()
    return found


def write_check(call: Call, check: CheckRun) -> None:
    conclusion = call.optional("conclusion")
    # A conclusion alone completes the run, as on GitHub.
    status = "completed" if conclusion else call.text("status", check.status)
    if status not in CHECK_STATUSES:
        raise invalid("status")
    if conclusion not in (None, *CHECK_CONCLUSIONS):
        raise invalid("conclusion")
    if status == "completed" and not (conclusion or check.conclusion):
        raise invalid("conclusion", "missing_field")
    now = call.world.now()
    check.name = call.text("name", check.name)
    check.status, check.conclusion = (
        status,
        conclusion or (check.conclusion if status == "completed" else None),
    )
    check.started_at = check.started_at or now
    check.completed_at = now if status == "completed" else None
    check.external_id = call.text("external_id", check.external_id)
    check.details_url = call.optional("details_url") or check.details_url
    output = call.body.get("output")
    if isinstance(output, dict):
        check.title, check.summary = output.get("title"), output.get("summary")
        check.text = output.get("text")


REPO = "/repos/{owner}/{repo}"
ROUTES: RouteTable = (
    ("GET", REPO + "/commits", list_commits),
    ("GET", REPO + "/commits/{ref:path}/check-runs", list_check_runs),
    ("GET", REPO + "/commits/{ref:path}/check-suites", list_check_suites),
    ("GET", REPO + "/commits/{ref:path}/status", combined_status),
    ("GET", REPO + "/commits/{ref:path}/statuses", list_statuses),
    ("GET", REPO + "/commits/{ref:path}/pulls", pulls_of_commit),
    ("GET", REPO + "/commits/{ref:path}", get_commit),
    ("POST", REPO + "/statuses/{sha}", create_status),
    ("GET", REPO + "/compare/{span:path}", compare),
    ("POST", REPO + "/check-runs", create_check),
    ("GET", REPO + "/check-runs/{id}", get_check),
    ("PATCH", REPO + "/check-runs/{id}", edit_check),
    ("POST", REPO + "/check-runs/{id}/rerequest", rerequest_check),
)
