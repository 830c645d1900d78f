"""What serves on Cloud Run, by traffic status and revision; never by template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import run_v2

from vtid.adapters.cloud_run import CloudRun
from vtid.adapters.cloud_run_revisions import revision_seen
from vtid.adapters.errors import MAX_TEXT
from vtid.domain.environment import Service
from vtid.domain.errors import BadReply, Denied, Missing, Unavailable

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim
    from vtid.domain.deployment import ServiceSeen

OURS, OLD = "a" * 40, "b" * 40


def seen(sim: Sim, service: Service | None = None) -> ServiceSeen:
    return sim.cloud_run.service(sim.environment, service or sim.shop, "acme/shop", OURS)


def test_a_settled_service_shows_its_serving_revision_with_every_witness(sim: Sim) -> None:
    sim.runs(
        {"name": "shop-00001", "commit_sha": OURS, "env": {"LEVEL": "info"}, "secrets": ["DATABASE_URL"]}
    )

    service = seen(sim)
    revision = service.serving[0]

    assert (service.settled, service.healthy, service.name) == (True, True, "shop")
    assert str(service.uri).startswith(sim.origin)
    assert (revision.name, revision.ready, revision.percent) == ("shop-00001", True, 100)
    assert revision.claims == {"env": OURS, "label": OURS, "image_tag": OURS}
    assert str(revision.image_digest).startswith("sha256:")
    assert set(revision.env) >= {"GIT_COMMIT_SHA", "LEVEL", "DATABASE_URL"}
    assert revision.secrets == ("DATABASE_URL", "database-url")
    assert (service.ours_idle, service.latest) == (None, None)


def test_only_the_witnesses_that_the_service_names_are_heard(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OURS})

    service = seen(sim, Service("shop", "shop", sha_witnesses=("label",)))

    assert service.serving[0].claims == {"label": OURS}


def test_a_label_that_lies_is_told_beside_the_other_witnesses(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OURS, "labels": {"commit-sha": OLD}})

    assert seen(sim).serving[0].claims == {"env": OURS, "label": OLD, "image_tag": OURS}


def test_what_is_no_commit_is_no_claim(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "env": {"GIT_COMMIT_SHA": "unknown"}, "labels": {"commit-sha": "main"}})

    assert seen(sim).serving[0].claims == {}


def test_traffic_that_is_pinned_elsewhere_leaves_our_revision_idle(sim: Sim) -> None:
    old = {"name": "shop-00001", "commit_sha": OLD}
    sim.runs(old, {"name": "shop-00002", "commit_sha": OURS}, traffic={"shop-00001": 100})

    service = seen(sim)

    assert [revision.name for revision in service.serving] == ["shop-00001"]
    assert service.ours_idle is not None
    assert (service.ours_idle.name, service.ours_idle.percent) == ("shop-00002", 0)
    assert service.latest is not None
    assert service.latest.name == "shop-00002"


def test_a_split_shows_every_share(sim: Sim) -> None:
    old, new = {"name": "shop-00001", "commit_sha": OLD}, {"name": "shop-00002", "commit_sha": OURS}
    sim.runs(old, new, traffic={"shop-00001": 90, "shop-00002": 10})

    shares = {revision.name: revision.percent for revision in seen(sim).serving}

    assert shares == {"shop-00001": 90, "shop-00002": 10}


def test_a_rollout_that_failed_shows_the_old_revision_serving_and_the_new_one_as_the_latest(sim: Sim) -> None:
    old = {"name": "shop-00001", "commit_sha": OLD}
    sim.runs(old, {"name": "shop-00002", "commit_sha": OURS, "ready": False}, traffic={"shop-00001": 100})

    service = seen(sim)

    assert not service.healthy
    assert service.serving[0].claims["env"] == OLD
    assert service.latest is not None
    assert not service.latest.ready
    assert "HEALTH_CHECK_CONTAINER_ERROR" in service.latest.condition


def test_a_service_that_reconciles_is_not_settled(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OLD})
    sim.behaves(reconcile_s=60)
    sim.git_hub.merge(sim.merge_command(sim.opens_pull()))

    assert not seen(sim).settled


def test_a_generation_that_was_not_observed_yet_is_not_settled(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OURS})
    told(
        sim, name="projects/demo/locations/europe-west1/services/shop", generation="2", observedGeneration="1"
    )

    assert not seen(sim).settled


def told(sim: Sim, **service: Any) -> None:
    sim.breaks("GET", "/services/shop$", {"status": 200, "body": service})


def test_the_traffic_of_the_latest_revision_is_resolved(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OURS})
    told(
        sim,
        name="projects/demo/locations/europe-west1/services/shop",
        latestReadyRevision="projects/demo/locations/europe-west1/services/shop/revisions/shop-00001",
        trafficStatuses=[{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
    )

    assert [revision.name for revision in seen(sim).serving] == ["shop-00001"]


def test_a_service_that_is_not_there_is_missing(sim: Sim) -> None:
    with pytest.raises(Missing, match="does not exist"):
        seen(sim)


@pytest.mark.parametrize("body", [{}, [], {"name": 7}, {"trafficStatuses": {"percent": "many"}}], ids=repr)
def test_json_of_another_shape_is_a_bad_reply(sim: Sim, body: Any) -> None:
    sim.breaks("GET", "/services/shop$", {"status": 200, "body": body})

    with pytest.raises(BadReply):
        seen(sim)


def test_a_field_of_the_future_is_no_obstacle(sim: Sim) -> None:
    sim.runs({"name": "shop-00001", "commit_sha": OURS})
    told(sim, name="projects/demo/locations/europe-west1/services/shop", quantumScaling=True)

    assert seen(sim).serving == ()


def test_a_refused_connection_is_unavailable(sim: Sim, nobody_listens: str) -> None:
    with pytest.raises(Unavailable):
        CloudRun(nobody_listens).service(sim.environment, sim.shop, "acme/shop", OURS)


def test_a_machine_without_credentials_is_denied(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")

    with pytest.raises(Denied, match="DefaultCredentialsError"):
        CloudRun().service(sim.environment, sim.shop, "acme/shop", OURS)


@pytest.mark.parametrize(
    "endpoint",
    ["http://run.googleapis.com", "http://10.0.0.7:8080", "http://127.0.0.1.example.com", "run.googleapis.com",
     "ftp://127.0.0.1", ""],
)  # fmt: skip
def test_plain_http_is_only_for_this_machine(endpoint: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        CloudRun(endpoint)


@pytest.mark.parametrize(
    "endpoint", [None, "https://run.example.com", "http://localhost:1", "http://[::1]:1"]
)
def test_an_endpoint_is_only_checked_not_asked_when_it_is_set(endpoint: str | None) -> None:
    CloudRun(endpoint)


# --- one revision


def container(image: str = "image", **variables: str) -> run_v2.Container:
    env = [run_v2.EnvVar(name=name, value=value) for name, value in variables.items()]
    return run_v2.Container(image=image, env=env)


ALL = ("env", "label", "image_tag")


@pytest.mark.parametrize(
    ("image", "claims", "digest"),
    [
        (f"host:5000/apps/shop:{OURS}", {"image_tag": OURS}, None),
        (f"host/apps/shop:{OURS}@sha256:12", {"image_tag": OURS}, "sha256:12"),
        ("host/apps/shop@sha256:12", {}, "sha256:12"),
        ("host:5000/apps/shop", {}, None),
        ("host/apps/shop:latest", {}, None),
    ],
)
def test_an_image_claims_a_commit_only_by_a_whole_sha_as_its_tag(
    image: str, claims: dict[str, str], digest: str | None
) -> None:
    seen = revision_seen(run_v2.Revision(containers=[container(image)]), 0, ALL)

    assert (seen.claims, seen.image_digest) == (claims, digest)


def test_two_variables_that_disagree_are_two_claims() -> None:
    revision = run_v2.Revision(containers=[container(GIT_COMMIT_SHA=OURS.upper(), COMMIT_SHA=OLD)])

    assert revision_seen(revision, 0, ALL).claims == {"env": OURS, "env_2": OLD}


def test_a_mounted_secret_is_bound_too() -> None:
    volume = run_v2.Volume(
        name="keys", secret=run_v2.SecretVolumeSource(secret="projects/1/secrets/signing-key")
    )

    assert revision_seen(run_v2.Revision(volumes=[volume]), 0, ALL).secrets == ("signing-key",)


def test_a_revision_without_a_ready_condition_is_not_ready() -> None:
    seen = revision_seen(run_v2.Revision(name="x/shop-1"), 100, ALL)

    assert (seen.ready, seen.condition, seen.name) == (False, "no Ready condition", "shop-1")


def test_the_words_of_a_condition_are_kept_short_and_without_the_secrets_that_they_quote() -> None:
    token = "ghp_" + "a1B2" * 9
    quoting = run_v2.Condition(type_="Ready", message=f"{'the container said: ' * 24}{token} {'x' * 9_000}")

    condition = revision_seen(run_v2.Revision(conditions=[quoting]), 100, ALL).condition

    assert len(condition) <= MAX_TEXT + 1
    assert token[:8] not in condition


def test_the_newest_revisions_come_first_whether_they_serve_or_not(sim: Sim) -> None:
    old, new = {"name": "shop-00001", "commit_sha": OLD}, {"name": "shop-00002", "commit_sha": OURS}
    sim.runs(old, new, traffic={"shop-00001": 100})

    newest = sim.cloud_run.newest_revisions(sim.environment, sim.shop, "acme/shop")

    assert {(each.name, each.percent, each.ready) for each in newest} == {
        ("shop-00001", 0, True),
        ("shop-00002", 0, True),
    }
    assert all(each.created_at is not None for each in newest)
