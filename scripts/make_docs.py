"""Write the pages under docs/ that are tables of the code. A test holds that they are up to date.

.venv/bin/python scripts/make_docs.py
"""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from vtid.agent.context import TOLD
from vtid.configuration.environment_file import environments_schema
from vtid.configuration.settings import FILE_SUFFIX, PREFIX, Settings
from vtid.domain.events import EVENT_TYPES
from vtid.domain.failures import API_CODES, FAILURES
from vtid.domain.hosts import HOSTS
from vtid.domain.limits import FOREVER, LIMITS, Limit
from vtid.domain.notifications import KEPT_FOR, PAUSES, SAYS, SUBSCRIBABLE, TRY_SECONDS
from vtid.domain.rules import RULES
from vtid.mcp.advice import ADVICE
from vtid.mcp.calls import Calls
from vtid.mcp.server import tools_for
from vtid.mcp.tools import Tools
from vtid.simulator.assumptions import ASSUMPTIONS
from vtid.simulator.worker.behaviours import BEHAVIOURS, NEVER

DOCS = Path(__file__).resolve().parents[1] / "docs"
MADE = "<!-- Made by scripts/make_docs.py from {source}. Change it there. -->"

# What a worker of each behaviour does, seen from the run.
BEHAVES = {
    "honest": "works, beats, opens a pull request, hands it in",
    "slow": "the same, and takes its time",
    "dies": "beats once, then its process is gone",
    "half-done": "opens a pull request, then its process is gone",
    "zombie": "falls silent until its lease is lost, then hands in after all",
    "hung": "opens a pull request, then beats for ever without handing it in",
    "beats-only": "beats for ever without any progress",
    "fails": "reports that it failed",
    "lies": "hands in a pull request that nobody ever opened",
    "empty-diff": "hands in a pull request that changes no file",
    "wrong-vtid": "hands in a pull request that names another VTID",
    "denied-path": "changes a path that policy denies",
    "from-fork": "hands in a pull request from a fork",
    "draft": "hands in a draft",
    "careless": "leaves a FIXME in what it builds, and takes it out when it gets a repair order",
    "silent": "takes an order, is not heard of again, and takes another one later",
    "forgets": "opens a pull request, and falls silent before it hands it in",
    "says-twice": "honest, and each of its calls arrives twice at once",
    "moody": "another behaviour for each order, by the luck of its seed",
    "moves-head": "pushes one more commit after the checks were green",
    NEVER: "does not even claim",
}

# Calls of the control plane, in the order of vtid/simulator/control.py: (call, what it does, beyond the contract).
CONTROL_PLANE = (
    ("POST /_sim/reset", "forget everything", ""),
    (
        "POST /_sim/repos",
        "add a repository",
        "the answer names `head_sha`; `git_dir`: a bare git repository that is its history, made when it is not "
        "there: pushes to it are seen, merges are real commits in it",
    ),
    (
        "POST /_sim/apps",
        "add an App, known by its public key",
        "the whole call; `installations`, `token_s`: how long its tokens hold",
    ),
    ("POST /_sim/pulls", "open a pull request", "`draft`, `fork`"),
    ("POST /_sim/pulls/{number}/push", "push to a pull request's branch", "`content: null` removes a file"),
    ("POST /_sim/pulls/{number}/queue", "put a pull request into the merge queue", "the whole call"),
    (
        "POST /_sim/commits",
        "push to a branch directly",
        "the whole call; `deploy: false` starts no deploy run",
    ),
    ("POST /_sim/checks", "set a check run of a commit", ""),
    (
        "PUT /_sim/behaviour",
        "how checks, deploys, reconciling and webhooks behave",
        "`deploy`: `services`, `event`, `workflow`, `percent`, `jobs`, `collapse`, `ready`, `unready`, "
        "`answers`, `labels`, `env`, `secrets`, `deployment` (what the workflow says of it on GitHub: `environment`, `state`, "
        "`description`); `checks.fails_on`; `webhooks.repeat`; `protection.required_checks`; "
        "`queue` (a merge queue on the default branch): `enabled`, `together`, `conclusion`, `timeout_s`",
    ),
    (
        "PUT /_sim/services/{name}",
        "set a service with its revisions and traffic",
        "`answers` of a revision; `private`",
    ),
    (
        "POST /_sim/faults",
        "break calls that match",
        "`truncate`, `apply`; `times` left out: for ever; `after`: so many calls pass before",
    ),
    ("DELETE /_sim/faults", "mend them", ""),
    ("GET /_sim/journal", "what was asked, and what it changed", "`?repository=`"),
    ("GET /_sim/state", "all facts", "the whole call"),
    ("GET /_sim/healthz", "whether it answers", "the whole call"),
)


def main() -> None:
    """Write every page."""
    DOCS.mkdir(exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """File name -> text of every generated page."""
    return {
        "limits.md": limits(),
        "failure-codes.md": failure_codes(),
        "events.md": events(),
        "rules.md": rules(),
        "hosts.md": hosts(),
        "agent.md": agent(),
        "mcp.md": mcp(),
        "notifications.md": notifications(),
        "settings.md": settings(),
        "simulator.md": simulator(),
        "environments.schema.json": json.dumps(environments_schema(), indent=2, ensure_ascii=False) + "\n",
    }


def limits() -> str:
    rows = (
        (
            f"`{name}`",
            limit.lane,
            _span(limit.one_try),
            _span(limit.budget),
            _tries(limit),
            _span(limit.heartbeat),
            ", ".join(_span(pause) for pause in limit.back_off) or "–",
            limit.why,
        )
        for name, limit in LIMITS.items()
    )
    return _page(
        "Limits",
        "vtid/domain/limits.py",
        "Every timeout and retry of a run. A run carries a copy in its input, so a change never alters a run "
        "under way. An environment overrides single rows under `limits:` in `environments.yaml`; "
        "`GET /api/v1/limits` serves what holds.",
        "*Lane* says where a step runs: `bookkeeping` on our own ledger, `github` on the paced queue, "
        "`outside` elsewhere, `lease` at the worker, `timer` in the workflow itself. No budget means that the "
        "run waits, visibly. The last pause is repeated.",
        _table(("step", "lane", "one try", "whole budget", "tries", "silence", "pauses", "why"), rows),
    )


def failure_codes() -> str:
    runs = (
        (f"`{row.code}`", row.stage or "any", "blocks" if row.repairable else "ends the run", row.outcome, row.says, row.advice)
        for row in FAILURES.values()
    )  # fmt: skip
    calls = ((f"`{row.code}`", row.status, row.says) for row in API_CODES.values())
    return _page(
        "Failure codes",
        "vtid/domain/failures.py",
        "Codes are API: they are never renamed. A code that *blocks* parks the run until a person chooses a "
        "move (`retry`, `adopt`, `skip`, `abandon`). What to type first at night: [operations](operations.md).",
        "Outcome `failure` means that the change is at fault, `error` that a system is.",
        _table(("code", "stage", "effect", "outcome", "means", "what to do"), runs),
        "## Codes that only the API answers with",
        _table(("code", "status", "means"), calls),
    )


def events() -> str:
    rows = []
    for name, text in EVENT_TYPES.items():
        means, _, data = text.partition("; data: ")
        rows.append((f"`{name}`", means, data or "–"))
    return _page(
        "Events",
        "vtid/domain/events.py",
        "What happened, in the ledger's log. `GET /api/v1/events` lists them, `GET /api/v1/events/stream` tells "
        "them as they come. An event of a run is written once per `(run_id, seq)`; what everybody sees of a run "
        "is the fold of its events and nothing else.",
        _table(("type", "means", "data"), rows),
    )


def rules() -> str:
    rows = (
        (f"`{rule.id}`", rule.title, f"`{rule.code}`", "yes" if rule.skippable else "never") for rule in RULES
    )
    return _page(
        "Validator rules",
        "vtid/domain/rules.py",
        "A verdict asks every rule over facts that were gathered once. Each answers `pass`, `fail`, "
        "`not_asked` or `skipped`, with its reason. Only all `pass` or `skipped` passes: what could not be asked "
        "is neither yes nor no.",
        "An approver may let a rule be that holds a run up (`vtid run rescue VTID skip --rule … --reason …`). The "
        "verdict and the proof then say `skipped`, by whom and why; it holds for the head that they saw and no "
        "other. What says *which* change this is and whose can never be skipped: those have moves of their own.",
        "A missing answer of `VAL-RULE-010` means `CHECKS_MISSING` or `CHECKS_TIMEOUT`, of any other rule "
        "`VALIDATION_FAILED`.",
        _table(("rule", "holds when", "code when it fails", "can be skipped"), rows),
    )


def hosts() -> str:
    rows = (
        (
            f"`{host.name}`",
            host.says,
            f"`{host.address_key}`",
            ", ".join(f"`{link}`" for link in ("commit", "actions_run", *host.links)),
            "yes" if host.shifts_traffic else "no",
        )
        for host in HOSTS.values()
    )
    return _page(
        "Hosts",
        "vtid/domain/hosts.py",
        "Where a service runs decides what can be seen of it, and so which links its proof has. A link that a host cannot "
        "give is not in the chain: it is neither shown as proven nor waited for. One environment may have services on "
        "several hosts; each is proven by its own chain.",
        _table(("`host:` of a service", "what it is", "needs the key", "chain", "rollback"), rows),
        "## A service that only answers",
        "```yaml\nproduction:\n  repository: acme/shop\n  live_answers: 6            # more than it has instances\n  services:\n    shop:\n"
        "      host: http_version\n      url: https://shop.example.com     # may hold {repository_name}\n      version_path: /version\n```",
        "*Proven* means here: the deploy run of the commit (or, where deploys collapse, of a newer one that contains it) "
        "ended in success, which is the claim; and `live_answers` answers in a row, each by a connection of its own, name one "
        "and the same commit, which is or contains the claimed one. That is the independent witness. Instances "
        "that disagree are waited for, since a rollout may be under way; with `live_answers` no larger than the number of "
        "instances an old one may be missed.",
        "What nobody can see is refused instead of ignored: variables, secrets and `sha_witnesses` cannot be declared there, "
        "`policy.rollback` cannot be asked for, and `live_answers` must be at least 2. `vtid env check` asks the "
        "version endpoint and says what it does not compare; `vtid env render` leaves the service out and says so.",
        "## Another host",
        "1. A row in `vtid/domain/hosts.py`: its name, the key that says which service is meant, and the links it can give.\n"
        "2. A module in `vtid/adapters/` with the ports `ServiceHost` and `SettingsHost`, and `TrafficHost` where it can "
        "shift traffic (`vtid/domain/ports.py`); `http_version.py` is the smallest one.\n"
        "3. A line in `service_hosts` in `vtid/adapters/hosts.py`, from which the worker and the API take it.",
        "A test holds the rows and the adapters against each other. Only a host whose services neither `cloud_run` nor `url` "
        "can name needs a key of its own, in `vtid/configuration/environment_file.py` and `Service`.",
    )


def mcp() -> str:
    tools = []
    for tool in tools_for(Tools(Calls(_unconnected))):
        needed = tool.parameters.get("required", [])
        takes = [f"`{name}`" if name in needed else f"`{name}`?" for name in tool.parameters["properties"]]
        tools.append((f"`{tool.name}`", ", ".join(takes), " ".join(tool.description.split())))
    return _page(
        "Tools for models (MCP)",
        "vtid/mcp/tools.py and vtid/mcp/advice.py",
        "A model is a worker like any other: it claims an order, works, hands in a pull request. The same tools are "
        "at `/mcp/` of the API (streamable HTTP, no sessions) and behind `vtid mcp` (stdio, a client of the API that "
        "works from anywhere with `VTID_API_URL` and `VTID_API_TOKEN`). Both want a key of the role `worker`: "
        "`vtid token create --role worker --name NAME`. How to connect: [README](../README.md#claude-code-in-a-minute).",
        _table(("tool", "takes (`?`: optional)", "does"), tools),
        "Every answer has the fields of the HTTP API and a `next_step`. The spec is also the resource "
        "`vtid://{vtid}/spec`. Repeating a call is safe.",
        "A model works between its calls and cannot beat meanwhile, so `claim_work` takes an `unattended` order: any "
        "call under the lease counts as progress, and 20 minutes without one end it ([limits](limits.md)). A program "
        "that beats by itself asks for `mode: attended` and is missed sooner.",
        "Over HTTP the name in `Host` must be this machine's or stand in `VTID_ALLOWED_HOSTS`.",
        "## What a refused model is told",
        "A refusal is text: the code, what happened, and what to do next.",
        _table(("code", "next"), ((f"`{code}`", advice) for code, advice in ADVICE.items())),
    )


def agent() -> str:
    told = ((f"`{name}`", means) for name, means in TOLD.items())
    return _page(
        "The reference agent",
        "scripts/make_docs.py and vtid/agent/context.py",
        "`vtid agent --command CMD` is a worker around any command that can change files. It claims an order, checks its "
        "branch out into a worktree of its own, runs the command there, and does all the rest: heartbeats, push, pull "
        "request, evidence.",
        "```\n"
        'vtid agent --command "claude -p --permission-mode acceptEdits" \\\n'
        "           --remote 'https://github.com/{repository}.git'\n"
        "```",
        "It needs a key of the role worker (`VTID_API_TOKEN`) and a GitHub token that may push and open pull requests "
        "(`VTID_GITHUB_TOKEN`; both also as `…_FILE`). `--repository-dir DIR` works from a local clone and pushes to its "
        "`origin`. `--concurrency N` works on N orders at a time; `--once` ends after one order for each.",
        "## What the command meets",
        "The spec is its standard input; for a repair order, what is to be mended follows it. Its working directory is the "
        "worktree. What it commits stays as it is; what it leaves uncommitted is committed by the agent. Exit code 0 means "
        "that the work is done; any other is reported as a failure with the end of the output, without secrets.",
        _table(("variable", "says"), told),
        "It does not get our keys: heartbeats, pushes and evidence are the agent's alone, and no `VTID_…` variable reaches "
        "it. A lease lives as long as the agent beats, also while the command hangs; that the work *moves* is told by lines "
        "in the progress file, new commits and output. Five minutes without any of them is a reason to look on GitHub.",
        "## How it can end",
        _table(
            ("what happens", "what the agent does", "exit code with `--once`"),
            (
                ("the command ends with 0", "commits the rest, pushes, opens the pull request, hands in", 0),
                ("no order comes within `--wait`", "ends", 6),
                ("the command fails, changes nothing, or git or GitHub refuse", "reports `fail`", 1),
                (
                    "a heartbeat is answered with `stop`",
                    "ends the process group (SIGTERM, after `--grace` SIGKILL), confirms with `release`",
                    5,
                ),
                ("the lease is lost", "ends the process group; nothing is pushed or said any more", 3),
                (
                    "the API does not answer",
                    "lets the command go on and asks again, until the lease must be lost",
                    "–",
                ),
                ("SIGTERM or Ctrl-C", "ends the process group, gives the order back, ends with 0", 5),
                (
                    "the agent is killed with -9",
                    "its lease ends by silence; the next agent in the same `--work-dir` ends what is left running there and removes it",
                    "–",
                ),
            ),
        ),
        "In each case worktree, local branch and files are removed. `--json` prints one line for each thing that happens.",
        "## Without GitHub",
        "The simulated GitHub can stand on a real bare repository, so the whole way is real git on one machine. "
        "Say so before the stack's first pull request:",
        "```\n"
        "vtid dev --simulate                                        # in one terminal\n"
        "curl -s -X POST http://127.0.0.1:8710/_sim/repos -H 'Content-Type: application/json' \\\n"
        '     -d \'{"full_name": "acme/shop", "git_dir": "/tmp/shop.git"}\'\n'
        "vtid agent --remote /tmp/shop.git --command 'cat > services/shop/NOTES.md'\n"
        "```",
        "Then approve and start any task on `acme/shop`: it ends `completed`, and `git -C /tmp/shop.git log main` has it.",
    )


def notifications() -> str:
    kinds = ((f"`{kind}`", SAYS[kind]) for kind in SUBSCRIBABLE)
    pauses = ", ".join(_span(pause) for pause in PAUSES)
    return _page(
        "Being told",
        "scripts/make_docs.py and vtid/domain/notifications.py",
        "Somebody who does not look at the page hears of what matters: signed webhooks in the form of "
        "[Standard Webhooks](https://www.standardwebhooks.com), or messages that Slack shows. It needs the role admin.",
        "```\n"
        "vtid notify add on-call https://example.com/hook           # prints the secret, this once\n"
        "vtid notify add team https://hooks.slack.com/services/… --slack --on run.blocked --on worker.missing\n"
        "vtid notify test on-call                                   # sends one, and shows what came back\n"
        "vtid notify log --state failed                             # what could not be told\n"
        "vtid notify log DELIVERY                                   # every try: time, status, how long, the answer\n"
        "vtid notify resend DELIVERY\n"
        "```",
        "The same over HTTP: `/api/v1/notifications` (`POST` to subscribe, `PATCH`, `DELETE`, `…/test`, `…/rotate`, "
        "`…/pause`, `…/enable`) and `/api/v1/notifications/deliveries` (the log, `…/{id}/resend`).",
        "## What is told",
        _table(("kind", "means"), kinds),
        "```json\n"
        '{"type": "run.blocked", "timestamp": "2026-01-02T03:04:05+00:00", "data": {"vtid": "VTID-01230", "title": "…",\n'
        ' "environment": "dev", "stage": "WORKER", "code": "EVIDENCE_REFUSED", "message": "…", "advice": "…",\n'
        ' "moves": ["retry", "adopt", "abandon"], "until": "…", "links": {"page": "…", "pr": "…"}, "position": 4711}}\n'
        "```",
        "`code` is one of the [failure codes](failure-codes.md); `position` is the event's place in the log, so "
        "`GET /api/v1/events?vtid=VTID` has the rest. Messages may come twice or in another order: `webhook-id` is the "
        "same for every try of one message, and `position` orders them.",
        "## How to verify one",
        "Each request has `webhook-id`, `webhook-timestamp` and `webhook-signature`. Use a library of Standard Webhooks "
        "with the secret that `vtid notify add` printed and the **raw** body:",
        "```python\n"
        "from standardwebhooks import Webhook\n\n"
        'message = Webhook("whsec_…").verify(raw_body, headers)  # raises when it is not ours, or older than 5 minutes\n'
        "```",
        "By hand: the signature is `v1,` and the base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`, with the base64-decoded "
        "part of the secret after `whsec_` as the key. The header may hold several, separated by spaces; one that fits is "
        "enough. `vtid notify rotate NAME` makes a new secret; for 24 h both sign. Slack's addresses are secret by "
        "themselves and ignore the signature.",
        "Secrets are derived from our signing key (`VTID_LEASE_KEY`, or the one in the data directory) and kept nowhere. "
        "When that key changes, subscriptions are disabled with that reason until their secrets are rotated: no message "
        "goes out that its receiver would refuse.",
        "## How often it is tried",
        f"An answer 2xx within {TRY_SECONDS:g} s is an accepted message. Otherwise it comes again after {pauses}: "
        f"{len(PAUSES) + 1} tries, then the delivery is `failed` and the event `notification.given_up` says so. "
        "`Retry-After` is heeded. `410 Gone`, or a delivery that failed to the end while nothing else was accepted "
        "either, disables the subscription: visible in `vtid notify list` and as the event `notification.disabled`, "
        "until somebody runs `vtid notify enable`.",
        "An event gives one delivery for each subscription, ever: they are made from the ledger's log and kept there, so a "
        "restart loses and doubles none. A subscription hears of what happens after it was made or enabled. A delivery "
        f"stays in the log for {KEPT_FOR.days} days after it ended.",
        "## Where nothing is sent",
        "Addresses are `https://`; plain `http://` is for loopback in a development stack. Names are looked up for each try, "
        "every address found must be public, and the connection goes to exactly the one that was checked: no private, "
        "link-local or metadata address is ever called, and redirects are not followed. A receiver inside: "
        "`VTID_NOTIFY_NETWORKS=10.1.0.0/16`.",
    )


def settings() -> str:
    rows = (
        (f"`{PREFIX}{name.upper()}`", f"`{field.default}`" if field.default else "–", field.description)
        for name, field in Settings.model_fields.items()
    )
    return _page(
        "Settings",
        "vtid/configuration/settings.py",
        "Every process reads the same environment variables: the worker, the API and the `vtid` command. One that begins "
        f"with `{PREFIX}` and stands not here is an error. Any of them may be given as a file: "
        f"`NAME{FILE_SUFFIX}` holds its path.",
        _table(("variable", "default", "means"), rows),
        "Temporal is found by its own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, "
        "`TEMPORAL_PROFILE` and others), Google's credentials by Google's (`GOOGLE_APPLICATION_CREDENTIALS`), and the database of "
        "[migrations](environments.md#database-migrations) by the variable that `environments.yaml` names. What a change must "
        "fulfil and what a service is given is no setting: it stands in [environments.yaml](environments.md).",
    )


def _unconnected(_: object) -> NoReturn:
    raise AssertionError("describing the tools calls none")


def simulator() -> str:
    return _page(
        "The simulator",
        "scripts/make_docs.py, vtid/simulator/assumptions.py and vtid/simulator/worker/behaviours.py",
        "GitHub, Cloud Run, the services and a worker as real HTTP processes. Our code meets them as it meets the "
        "real ones: only base URLs differ. The vendors' own schemas judge every answer (`tests/simulator/`).",
        "```\nvtid dev --simulate\npython -m vtid.simulator world --port 8710\n"
        "python -m vtid.simulator worker --api URL --token T --simulator URL --worker-id w1 --behaviour honest\n```",
        "## One contract, simulated and real",
        "`tests/contract/` puts every question and every deed of our adapters through a door that keeps what passes. Each "
        "request and each answer is held against the vendor's schema of exactly that call; a call that stands in no "
        "schema, and a method that nobody asks, fail the test. The same questions can be put to the real vendors. They only "
        "read, and are left out of `make test`:",
        "```\nLIVE_GITHUB_TOKEN=… LIVE_GITHUB_REPOSITORY=owner/name LIVE_GITHUB_PULL_REQUEST=7 \\\n"
        "LIVE_CLOUD_RUN_PROJECT=… LIVE_CLOUD_RUN_REGION=… LIVE_CLOUD_RUN_SERVICE=… \\\n"
        "    .venv/bin/python -m pytest -m live tests/contract\n```",
        "`LIVE_GITHUB_BRANCH` is the branch to look at (`main`), `LIVE_GITHUB_API_URL` another GitHub's API. The token needs to read "
        "contents, pull requests, checks, actions and metadata; Cloud Run is asked with Google's default credentials "
        "(`gcloud auth application-default login`), in the role *Cloud Run Viewer*. What is not set is skipped and says so.",
        "## What no schema can tell",
        _table(("assumption", "what we assume", "where from"), ((f"`{a.name}`", a.what, a.source) for a in ASSUMPTIONS)),
        "## Control plane",
        "Strict: a key that nobody reads is refused. *Beyond the contract* is what the design does not name.",
        _table(("call", "does", "beyond the contract"), ((f"`{call}`", does, more or "–") for call, does, more in CONTROL_PLANE)),
        "## Behaviours of the worker",
        _table(("behaviour", "what it does"), ((f"`{name}`", BEHAVES[name]) for name in (*BEHAVIOURS, NEVER))),
    )  # fmt: skip


def _page(title: str, source: str, *paragraphs: str) -> str:
    return "\n\n".join((f"# {title}", MADE.format(source=source), *paragraphs)) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _tries(limit: Limit) -> str:
    if limit.tries != FOREVER:
        return str(limit.tries)
    if not limit.back_off:  # a timer: it is not tried, it ends
        return "–"
    return "until the budget ends" if limit.budget else "no end"


def _span(span: timedelta | None) -> str:
    if span is None:
        return "–"
    seconds = span.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and seconds % size == 0 and (unit != "d" or seconds >= 4 * size):
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


if __name__ == "__main__":
    main()
