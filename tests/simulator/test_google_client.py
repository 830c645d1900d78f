"""The real google-cloud-run REST client understands every answer."""

from typing import Any

import pytest

from .conftest import Sim

HERE = "projects/demo/locations/europe-west1"
SHOP = f"{HERE}/services/shop"


def clients(sim: Sim) -> tuple[Any, Any]:
    # Late: the import takes longer than all the other tests of this folder together.
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import run_v2

    options: dict[str, Any] = {
        "credentials": AnonymousCredentials(),  # type: ignore[no-untyped-call]
        "transport": "rest",
        "client_options": ClientOptions(api_endpoint=sim.origin),
    }
    return run_v2.ServicesClient(**options), run_v2.RevisionsClient(**options)


def test_services_and_revisions_are_read(sim: Sim) -> None:
    sha = sim.shop()
    services, revisions = clients(sim)

    service = services.get_service(name=SHOP, timeout=5)
    assert (service.generation, service.observed_generation, service.reconciling) == (1, 1, False)
    assert service.terminal_condition.state.name == "CONDITION_SUCCEEDED"
    assert service.uri == f"{sim.origin}/run/demo/europe-west1/shop"
    status = service.traffic_statuses[0]
    assert (status.type_.name, status.percent) == ("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", 100)

    revision = revisions.get_revision(name=f"{SHOP}/revisions/{status.revision}", timeout=5)
    env = {it.name: it for it in revision.containers[0].env}
    assert revision.labels["commit-sha"] == env["GIT_COMMIT_SHA"].value == sha
    assert env["DB_URL"].value_source.secret_key_ref.secret == "db"
    assert revision.containers[0].image.endswith(status_digest(sim))
    assert [it.name for it in services.list_services(parent=HERE)] == [SHOP]
    assert len(list(revisions.list_revisions(parent=SHOP))) == 1


def status_digest(sim: Sim) -> str:
    return next(iter(sim.app.world.services.values())).revisions["shop-00001-aaa"].digest


def test_enum_numbers_are_those_of_the_library(sim: Sim) -> None:
    from google.cloud import run_v2

    from vtid.simulator.cloud_run.render import ENUM_NUMBERS

    library = {
        **dict(run_v2.Condition.State.__members__),
        **dict(run_v2.Condition.CommonReason.__members__),
        **dict(run_v2.Condition.RevisionReason.__members__),
        **dict(run_v2.TrafficTargetAllocationType.__members__),
        **dict(run_v2.IngressTraffic.__members__),
        **dict(run_v2.ExecutionEnvironment.__members__),
        "GA": 4,
    }
    assert {name: int(library[name]) for name in ENUM_NUMBERS} == ENUM_NUMBERS


def test_traffic_is_moved_by_an_operation(sim: Sim) -> None:
    old = sim.shop()
    new = sim.merge(sim.pull()).json()["sha"]
    sim.deployed(new)
    services, _ = clients(sim)
    service = services.get_service(name=SHOP)
    pinned = {
        "type_": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
        "revision": "shop-00001-aaa",
        "percent": 100,
    }

    service.traffic = [pinned]
    operation = services.update_service(request={"service": service, "update_mask": "traffic"})

    sim.app.world.schedule.skip(1)
    assert operation.result(timeout=5).traffic_statuses[0].revision == "shop-00001-aaa"
    assert sim.version()["commit"] == old
    assert sim.effects() == ["merge", "traffic"]


def test_a_stale_etag_is_refused(sim: Sim) -> None:
    from google.api_core.exceptions import Aborted, Conflict

    sim.shop()
    services, _ = clients(sim)
    service = services.get_service(name=SHOP)
    sim.shop()

    with pytest.raises((Aborted, Conflict)):
        services.update_service(request={"service": service, "update_mask": "traffic"})


def test_failures_are_the_exceptions_that_the_client_knows(sim: Sim) -> None:
    from google.api_core.exceptions import NotFound

    sim.shop()
    services, revisions = clients(sim)

    with pytest.raises(NotFound, match="SERVICE"):
        services.get_service(name=f"{HERE}/services/none")
    with pytest.raises(NotFound):
        revisions.get_revision(name=f"{SHOP}/revisions/none")


def test_an_unready_revision_is_read(sim: Sim) -> None:
    sim.shop()
    sim.behave(deploy={"ready": False})
    sim.merge(sim.pull())
    services, revisions = clients(sim)

    def failed() -> Any:
        service = services.get_service(name=SHOP)
        return service.terminal_condition.state.name == "CONDITION_FAILED" and service

    service = sim.until(failed)
    revision = revisions.get_revision(name=service.latest_created_revision)
    assert revision.conditions[0].revision_reason.name == "HEALTH_CHECK_CONTAINER_ERROR"
