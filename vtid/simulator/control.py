"""/_sim: set facts, tell the world how to behave, break it, and read what was done to it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vtid.simulator import checks, cloud, deploys, linked, pulls, queues
from vtid.simulator import control_input as told
from vtid.simulator.apps import App
from vtid.simulator.dump import dump
from vtid.simulator.facts import Repository, Revision, Service, Share
from vtid.simulator.faults import Faults, FaultWish
from vtid.simulator.git_history import NoGit
from vtid.simulator.github.urls import Place
from vtid.simulator.world import World

Model = TypeVar("Model", bound=BaseModel)


class Refused(Exception):
    def __init__(self, status: int, detail: Any, **facts: Any) -> None:
        super().__init__(str(detail))
        self.status = status
        self.body = {"detail": detail, **facts}


class Control:
    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults

    async def healthz(self, request: Request) -> Any:
        return {"status": "ok"}

    async def reset(self, request: Request) -> Any:
        self._world.reset()
        self._faults.clear()
        return {"reset": True}

    async def add_repository(self, request: Request) -> Any:
        wish = await parsed(request, told.NewRepository)
        made = self._added(wish)
        note(request, "repository", made.full_name)
        head = made.history.branches[made.default_branch]
        return {"full_name": made.full_name, "default_branch": made.default_branch, "head_sha": head}

    def _added(self, wish: told.NewRepository) -> Repository:
        if wish.git_dir is None:
            return self._world.add_repository(wish.full_name, wish.default_branch)
        try:
            return linked.link(self._world, wish.full_name, wish.default_branch, wish.git_dir.absolute())
        except NoGit as error:
            raise Refused(422, f"git_dir: {error}") from error
        except linked.Taken as error:
            raise Refused(409, str(error)) from error

    async def add_app(self, request: Request) -> Any:
        wish = await parsed(request, told.NewApp)
        app = App(wish.app_id, wish.slug, wish.public_key, tuple(wish.installations), wish.token_s)
        self._world.apps[app.id] = app
        note(request, "app", None)
        return {"app_id": app.id, "login": app.login, "installations": wish.installations}

    async def add_pull(self, request: Request) -> Any:
        wish = await parsed(request, told.NewPull)
        repository = self._repository(wish.repository)
        self._branch(repository, wish.base)
        same = [
            it.number
            for it in repository.pulls.values()
            if it.state == "open" and it.head_branch == wish.head
        ]
        if same:
            raise Refused(
                422,
                f"head: {wish.head} has the open pull request #{same[0]}; push to that one",
                number=same[0],
            )
        opening = pulls.Opening(wish.title, wish.head, wish.base, wish.body or "", wish.draft, wish.fork)
        sha = pulls.branch_from(self._world, repository, opening, contents(wish.files))
        pull = pulls.open_pull(self._world, repository, opening, sha)
        note(request, "pull", repository.full_name)
        origin = str(request.base_url).split("/_sim")[0].rstrip("/")
        html_url = f"{Place(origin, repository).html}/pull/{pull.number}"
        return {"number": pull.number, "html_url": html_url, "head_sha": sha}

    async def push(self, request: Request) -> Any:
        wish = await parsed(request, told.NewPush)
        repository = self._repository(wish.repository)
        pull = repository.pulls.get(request.path_params["number"])
        if pull is None:
            raise Refused(404, f"no pull request #{request.path_params['number']} in {wish.repository}")
        sha = pulls.push(self._world, repository, pull, contents(wish.files))
        note(request, "push", repository.full_name)
        return {"head_sha": sha}

    async def queue_up(self, request: Request) -> Any:
        wish = await parsed(request, told.NewEntry)
        repository = self._repository(wish.repository)
        pull = repository.pulls.get(request.path_params["number"])
        if pull is None:
            raise Refused(404, f"no pull request #{request.path_params['number']} in {wish.repository}")
        try:
            entry = queues.enter(self._world, repository, pull, None)
        except queues.QueueRefused as refused:
            raise Refused(409, str(refused)) from refused
        note(request, "enqueue", repository.full_name)
        return {"position": queues.position(repository, entry)}

    async def add_commit(self, request: Request) -> Any:
        wish = await parsed(request, told.NewCommit)
        repository = self._repository(wish.repository)
        history = repository.history
        # A branch that does not exist yet starts at the default branch.
        history.branches.setdefault(wish.branch, history.branches[repository.default_branch])
        made = history.commit_on(wish.branch, wish.message, contents(wish.files), self._world.now())
        note(request, "push", repository.full_name)
        if wish.deploy:
            deploys.on_push(self._world, repository, wish.branch, made)
        return {"sha": made.sha}

    async def tell_check(self, request: Request) -> Any:
        wish = await parsed(request, told.ToldCheck)
        repository = self._repository(wish.repository)
        commit = repository.history.find(wish.sha)
        if commit is None:
            raise Refused(404, f"no commit {wish.sha} in {wish.repository}")
        check = checks.tell(self._world, repository, commit.sha, wish.name, wish.status, wish.conclusion)
        note(request, "check", repository.full_name)
        return {"id": check.id, "sha": commit.sha, "name": check.name}

    async def tell_behaviour(self, request: Request) -> Any:
        wish = await parsed(request, told.ToldBehaviour)
        keys = wish.model_dump(exclude_unset=True)
        now = self._world.behaviours.tell(keys.pop("repository", None), keys)
        note(request, "behaviour", wish.repository)
        return {"repository": wish.repository, **now.model_dump()}

    async def put_service(self, request: Request) -> Any:
        wish = await parsed(request, told.ToldService)
        name = request.path_params["name"]
        key = (wish.project, wish.region, name)
        service = told_service(self._world, name, wish)
        before = self._world.services.get(key)
        if before is not None:
            service.created_at = before.created_at
            service.generation = service.observed = before.generation + 1
        self._world.services[key] = service
        note(request, "service", None)
        origin = str(request.base_url).split("/_sim")[0].rstrip("/")
        return {"name": service.path, "uri": f"{origin}/run/{wish.project}/{wish.region}/{name}"}

    async def add_fault(self, request: Request) -> Any:
        fault = self._faults.add(await parsed(request, FaultWish))
        note(request, "fault", None)
        return {"id": fault.id}

    async def clear_faults(self, request: Request) -> Any:
        note(request, "fault", None)
        return {"removed": self._faults.clear()}

    async def journal(self, request: Request) -> Any:
        since = request.query_params.get("since", "0")
        if not since.isdigit():
            raise Refused(422, "since: must be a number of an entry")
        return self._world.journal.since(int(since), request.query_params.get("repository"))

    async def state(self, request: Request) -> Any:
        return dump(self._world, self._faults)

    def _repository(self, full_name: str) -> Repository:
        found = self._world.repository(full_name)
        if found is None:
            known = ", ".join(it.full_name for it in self._world.repositories.values()) or "none"
            raise Refused(404, f"no repository {full_name}; there are: {known}")
        linked.catch_up(self._world, found)
        return found

    def _branch(self, repository: Repository, name: str) -> None:
        if name not in repository.history.branches:
            raise Refused(422, f"base: {repository.full_name} has no branch {name}")


def told_service(world: World, name: str, wish: told.ToldService) -> Service:
    now = world.now()
    revisions = {it.name: told_revision(it, now) for it in wish.revisions}
    last = wish.revisions[-1].name
    ready = [it.name for it in wish.revisions if it.ready]
    shares = [Share(last, 100, latest=True)]
    if wish.traffic is not None:
        shares = [Share(it.revision, it.percent) for it in wish.traffic]
    return Service(
        wish.project,
        wish.region,
        name,
        now,
        now,
        revisions=revisions,
        traffic=shares,
        serving=[Share(**vars(it)) for it in shares],
        template=last,
        latest_ready=ready[-1] if ready else "",
        failure=None
        if revisions[last].ready
        else f"Revision '{last}' is not ready and cannot serve traffic.",
        version_body=wish.version_body,
        private=wish.private,
    )


def told_revision(wish: told.ToldRevision, now: float) -> Revision:
    sha = wish.commit_sha
    labels = {cloud.SHA_LABEL: sha.lower()} if sha else {}
    env = {cloud.SHA_VARIABLE: sha} if sha else {}
    return Revision(
        name=wish.name,
        created_at=now,
        digest=wish.digest or cloud.digest_of(sha or wish.name),
        commit_sha=sha,
        labels=cloud.with_wishes(labels, wish.labels),
        env=cloud.with_wishes(env, wish.env_values()),
        secrets=wish.secret_refs(),
        ready=wish.ready,
        answers=wish.answers,
    )


def contents(files: list[told.NewFile]) -> dict[str, str | None]:
    return {it.path: it.content for it in files}


def note(request: Request, effect: str, repository: str | None) -> None:
    entry = request.scope["sim.entry"]
    entry.effect, entry.repository = effect, repository


async def parsed(request: Request, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as wrong:
        raise Refused(422, [field_error(it) for it in json.loads(wrong.json(include_url=False))]) from wrong


def field_error(error: dict[str, Any]) -> dict[str, str]:
    return {"field": ".".join(str(it) for it in error["loc"]) or "body", "message": error["msg"]}


def endpoint(
    serve: Callable[[Request], Awaitable[Any]], status: int
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await serve(request), status)
        except Refused as refused:
            return JSONResponse(refused.body, refused.status)

    return answer


def application(world: World, faults: Faults) -> Starlette:
    control = Control(world, faults)
    table = (
        ("GET", "/healthz", control.healthz, 200),
        ("POST", "/reset", control.reset, 200),
        ("POST", "/repos", control.add_repository, 201),
        ("POST", "/apps", control.add_app, 201),
        ("POST", "/pulls", control.add_pull, 201),
        ("POST", "/pulls/{number:int}/push", control.push, 200),
        ("POST", "/pulls/{number:int}/queue", control.queue_up, 200),
        ("POST", "/commits", control.add_commit, 201),
        ("POST", "/checks", control.tell_check, 201),
        ("PUT", "/behaviour", control.tell_behaviour, 200),
        ("PUT", "/services/{name}", control.put_service, 200),
        ("POST", "/faults", control.add_fault, 201),
        ("DELETE", "/faults", control.clear_faults, 200),
        ("GET", "/journal", control.journal, 200),
        ("GET", "/state", control.state, 200),
    )
    return Starlette(
        routes=[Route(path, endpoint(serve, code), methods=[method]) for method, path, serve, code in table]
    )
