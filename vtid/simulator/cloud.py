"""How Cloud Run moves: a new template is reconciled for a while, then traffic follows; or it does not."""

import hashlib
from collections.abc import Callable, Mapping

from vtid.simulator.behaviour import Deploy
from vtid.simulator.facts import Revision, Service, Share
from vtid.simulator.world import World

SHA_VARIABLE = "GIT_COMMIT_SHA"
SHA_LABEL = "commit-sha"


def digest_of(sha: str) -> str:
    return "sha256:" + hashlib.sha256(sha.encode()).hexdigest()


def with_wishes(facts: Mapping[str, str], wishes: Mapping[str, str | None]) -> dict[str, str]:
    """A wish of None takes the entry away."""
    return {key: value for key, value in {**facts, **wishes}.items() if value is not None}


def deploy(world: World, service: Service, sha: str, wish: Deploy, reconcile_s: float) -> None:
    """What `gcloud run deploy` does: carry the template over, with the new commit in it."""
    if wish.serves != "head" and any(
        (it.live_commit or "").startswith(sha) for it in service.revisions.values()
    ):
        return
    before = service.revisions.get(service.template)
    made = Revision(
        name=f"{service.name}-{len(service.revisions) + 1:05d}-{sha[:3]}",
        created_at=world.now(),
        digest=digest_of(sha),
        commit_sha=sha,
        labels=with_wishes({SHA_LABEL: sha.lower(), "managed-by": "github-actions"}, wish.labels),
        env=with_wishes({**(before.env if before else {}), SHA_VARIABLE: sha}, wish.env),
        secrets=with_wishes(before.secrets if before else {}, wish.secrets),
        ready=wish.ready and service.name not in wish.unready,
        settled=False,
        answers=wish.answers,
    )
    service.revisions[made.name] = made
    service.template = made.name
    share = wish.percent if service.serving else 100
    target = shifted(service.serving, made.name, share)
    begin_change(world, service, target, reconcile_s, made)


def shifted(serving: list[Share], revision: str, percent: int) -> list[Share]:
    """The new revision gets its share; the others keep their proportions in the rest."""
    if percent == 100:
        return [Share(revision, 100, latest=True)]
    total = sum(it.percent for it in serving) or 100
    rest = [Share(it.revision, it.percent * (100 - percent) // total) for it in serving]
    rest[0].percent += 100 - percent - sum(it.percent for it in rest)
    return [*rest, Share(revision, percent)] if percent else rest


def begin_change(
    world: World, service: Service, traffic: list[Share], reconcile_s: float, made: Revision | None = None
) -> int:
    """Ask for the traffic (and the new revision). The answer comes after reconcile_s; returns the generation."""
    service.generation += 1
    service.updated_at = world.now()
    service.traffic = traffic
    world.schedule.after(reconcile_s, settler(world, service, service.generation, made))
    return service.generation


def settler(world: World, service: Service, generation: int, made: Revision | None) -> Callable[[], None]:
    def settle() -> None:
        if made is not None:
            made.settled = True
            if made.ready:
                service.latest_ready = made.name
        # A newer change is under way: it will settle both.
        if service.generation != generation:
            return
        service.observed = generation
        service.updated_at = world.now()
        broken = [it.revision for it in service.traffic if not is_ready(service, it.revision)]
        service.failure = f"Revision '{broken[0]}' is not ready and cannot serve traffic." if broken else None
        if made is not None and not made.ready:
            service.failure = f"Revision '{made.name}' is not ready and cannot serve traffic."
        if not broken:
            service.serving = [Share(**vars(it)) for it in service.traffic]
            service.turn = {}

    return settle


def is_ready(service: Service, revision: str) -> bool:
    known = service.revisions.get(revision)
    return known is not None and known.ready and known.settled


def next_to_answer(service: Service) -> Revision | None:
    """Smooth weighted round-robin: at 10 to 90, every tenth request meets the small one."""
    shares = [it for it in service.serving if it.percent > 0]
    if not shares:
        return None
    for share in shares:
        service.turn[share.revision] = service.turn.get(share.revision, 0) + share.percent
    chosen = max(shares, key=lambda it: service.turn[it.revision])
    service.turn[chosen.revision] -= sum(it.percent for it in shares)
    return service.revisions[chosen.revision]
