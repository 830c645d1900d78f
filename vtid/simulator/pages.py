"""Plain pages behind GitHub's HTML links, so that no link in the product is dead."""

from collections.abc import Awaitable, Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from vtid.simulator import pulls
from vtid.simulator.facts import Repository
from vtid.simulator.world import World

STYLE = "body{font:16px/1.5 system-ui;margin:2rem auto;max-width:50rem;padding:0 1rem}pre{overflow:auto;background:#f4f4f4;padding:1rem}"


def page(world: World, on_root: dict[str, str]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        parts = str(request.path_params["page"]).strip("/").split("/")
        if parts == [""]:
            names = [it.full_name for it in world.repositories.values()]
            answer = html(
                "Simulated GitHub", *(f'<p><a href="/{escape(it)}">{escape(it)}</a></p>' for it in names)
            )
            # Who looks for the metadata server asks here, and knows it by its header.
            answer.headers.update(on_root)
            return answer
        repository = world.repository("/".join(parts[:2]))
        if repository is None:
            return html("Not found", "<p>Nobody has been here in this world.</p>", status=404)
        return about(repository, parts[2:])

    return serve


def about(repository: Repository, rest: list[str]) -> Response:
    match rest:
        case ["pull", number, *_] if number.isdigit() and int(number) in repository.pulls:
            return pull_page(repository, int(number))
        case ["actions", "runs", number, *_]:
            return run_page(repository, number)
        case ["commit", sha] if (commit := repository.history.find(sha)) is not None:
            return html(f"Commit {commit.sha[:12]}", f"<pre>{escape(commit.message)}</pre>")
        case ["runs", number]:
            found = [it for it in repository.checks if str(it.id) == number]
            return html(
                "Check run", *(f"<p>{escape(it.name)}: {it.conclusion or it.status}</p>" for it in found)
            )
        case []:
            items = [
                f'<li><a href="/{escape(repository.full_name)}/pull/{it.number}">#{it.number} {escape(it.title)}</a> {state(repository, it.number)}</li>'
                for it in repository.pulls.values()
            ]
            return html(repository.full_name, f"<ul>{''.join(items)}</ul>")
        case _:
            return html(repository.full_name, f"<p>{escape('/'.join(rest))}</p>")


def state(repository: Repository, number: int) -> str:
    pull = repository.pulls[number]
    return "merged" if pull.merged_at else "draft" if pull.draft else pull.state


def pull_page(repository: Repository, number: int) -> Response:
    pull = repository.pulls[number]
    files = pulls.files_of(repository, pull)
    checks = [
        f"<li>{escape(it.name)}: {it.conclusion or it.status}</li>"
        for it in repository.checks
        if it.head_sha == pull.head_sha
    ]
    comments = [f"<pre>{escape(it.body)}</pre>" for it in repository.comments if it.issue == number]
    return html(
        f"#{number} {pull.title}",
        f"<p>{state(repository, number)}: {escape(pull.head_branch)} into {escape(pull.base)}, head {pull.head_sha}</p>",
        f"<pre>{escape(pull.body)}</pre><ul>{''.join(checks)}</ul>",
        *(f"<h3>{escape(it.path)}</h3><pre>{escape(it.patch)}</pre>" for it in files),
        *comments,
    )


def run_page(repository: Repository, number: str) -> Response:
    found = [it for it in repository.runs if str(it.id) == number]
    return html(
        f"Actions run {number}",
        *(
            f"<p>{escape(it.workflow)} on {it.event}, {it.head_sha}: {it.conclusion or it.status}</p>"
            for it in found
        ),
        status=200 if found else 404,
    )


def html(title: str, *parts: str, status: int = 200) -> Response:
    head = f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"
    return HTMLResponse(
        f"{head}<h1>{escape(title)}</h1>{''.join(parts)}<p><small>simulated</small></p>", status
    )
