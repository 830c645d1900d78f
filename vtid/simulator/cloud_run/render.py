"""Services and revisions in Google's JSON: camelCase, and 64-bit integers as strings."""

import hashlib
import uuid
from typing import Any

from vtid.simulator.facts import Revision, Service, Share
from vtid.simulator.schedule import moment

OK, FAILED, PENDING = "CONDITION_SUCCEEDED", "CONDITION_FAILED", "CONDITION_RECONCILING"
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
PINNED = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

# Google's clients ask for `enum-encoding=int`. Words here are unlike any other value in the answers.
ENUM_NUMBERS = {
    "CONDITION_PENDING": 1,
    PENDING: 2,
    FAILED: 3,
    OK: 4,
    LATEST: 1,
    PINNED: 2,
    "INGRESS_TRAFFIC_ALL": 1,
    "EXECUTION_ENVIRONMENT_GEN2": 2,
    "GA": 4,
    "REVISION_FAILED": 3,
    "HEALTH_CHECK_CONTAINER_ERROR": 6,
}
ENUM_FIELDS = {"state", "type", "ingress", "executionEnvironment", "launchStage", "reason", "revisionReason"}


def with_enum_numbers(content: Any) -> Any:
    if isinstance(content, list):
        return [with_enum_numbers(it) for it in content]
    if isinstance(content, dict):
        return {
            key: ENUM_NUMBERS.get(value, value)
            if key in ENUM_FIELDS and isinstance(value, str)
            else with_enum_numbers(value)
            for key, value in content.items()
        }
    return content


def uid(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def etag(*parts: object) -> str:
    return '"' + hashlib.sha256(repr(parts).encode()).hexdigest()[:22] + '"'


def condition(kind: str, state: str, at: float, message: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind, "state": state, "lastTransitionTime": moment(at, 6)}
    if message:
        made |= {"message": message, "severity": "ERROR"}
    return made


def image_name(service: Service) -> str:
    return f"{service.region}-docker.pkg.dev/{service.project}/apps/{service.name}"


def container(service: Service, revision: Revision) -> dict[str, Any]:
    plain = [{"name": name, "value": value} for name, value in revision.env.items()]
    return {
        "name": f"{service.name}-1",
        # Tag and digest in one reference: google-cloud-run 0.16 has no field for containerStatuses.
        "image": f"{image_name(service)}:{revision.commit_sha or 'latest'}@{revision.digest}",
        "env": plain + [secret_variable(name, secret) for name, secret in revision.secrets.items()],
        "resources": {"limits": {"cpu": "1000m", "memory": "512Mi"}, "cpuIdle": True},
        "ports": [{"name": "http1", "containerPort": 8080}],
    }


def secret_variable(name: str, secret: str) -> dict[str, Any]:
    where, _, version = secret.partition(":")
    return {"name": name, "valueSource": {"secretKeyRef": {"secret": where, "version": version or "latest"}}}


def revision_json(service: Service, revision: Revision) -> dict[str, Any]:
    if not revision.settled:
        ready = condition("Ready", PENDING, revision.created_at)
    elif revision.ready:
        ready = condition("Ready", OK, revision.created_at)
    else:
        why = "The user-provided container failed to start and listen on the port defined by PORT=8080."
        ready = {
            **condition("Ready", FAILED, revision.created_at, why),
            "revisionReason": "HEALTH_CHECK_CONTAINER_ERROR",
        }
    path = f"{service.path}/revisions/{revision.name}"
    return {
        "name": path,
        "uid": uid(path),
        "generation": "1",
        "observedGeneration": "1" if revision.settled else "0",
        "labels": revision.labels,
        "createTime": moment(revision.created_at, 6),
        "updateTime": moment(revision.created_at, 6),
        "launchStage": "GA",
        "service": service.name,
        "scaling": {"maxInstanceCount": 10},
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
        "containers": [container(service, revision)],
        "containerStatuses": [
            {"name": f"{service.name}-1", "imageDigest": f"{image_name(service)}@{revision.digest}"}
        ],
        "maxInstanceRequestConcurrency": 80,
        "timeout": "300s",
        "serviceAccount": f"{service.name}@{service.project}.iam.gserviceaccount.com",
        "reconciling": not revision.settled,
        "conditions": [ready],
        "etag": etag(path, revision.settled),
    }


def template_json(service: Service) -> dict[str, Any]:
    revision = service.revisions[service.template]
    return {
        "revision": revision.name,
        "labels": revision.labels,
        "containers": [container(service, revision)],
        "scaling": {"maxInstanceCount": 10},
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
        "maxInstanceRequestConcurrency": 80,
        "timeout": "300s",
    }


def target_json(share: Share) -> dict[str, Any]:
    kind = {"type": LATEST} if share.latest else {"type": PINNED, "revision": share.revision}
    return {**kind, "percent": share.percent}


def status_json(share: Share) -> dict[str, Any]:
    return {"type": LATEST if share.latest else PINNED, "revision": share.revision, "percent": share.percent}


def service_json(origin: str, service: Service) -> dict[str, Any]:
    uri = f"{origin}/run/{service.project}/{service.region}/{service.name}"
    made: dict[str, Any] = {
        "name": service.path,
        "uid": uid(service.path),
        "generation": str(service.generation),
        "labels": service.revisions[service.template].labels if service.template else {},
        "createTime": moment(service.created_at, 6),
        "updateTime": moment(service.updated_at, 6),
        "creator": f"deployer@{service.project}.iam.gserviceaccount.com",
        "lastModifier": f"deployer@{service.project}.iam.gserviceaccount.com",
        "ingress": "INGRESS_TRAFFIC_ALL",
        "launchStage": "GA",
        "traffic": [target_json(it) for it in service.traffic],
        "observedGeneration": str(service.observed),
        "terminalCondition": terminal(service),
        "conditions": [condition("RoutesReady", OK, service.updated_at)],
        "trafficStatuses": [status_json(it) for it in service.serving],
        "uri": uri,
        "urls": [uri],
        "reconciling": service.reconciling,
        "etag": etag(service.path, service.generation, service.observed),
    }
    if service.template:
        made["template"] = template_json(service)
        made["latestCreatedRevision"] = f"{service.path}/revisions/{service.template}"
    if service.latest_ready:
        made["latestReadyRevision"] = f"{service.path}/revisions/{service.latest_ready}"
    return made


def terminal(service: Service) -> dict[str, Any]:
    if service.reconciling:
        return condition("Ready", PENDING, service.updated_at)
    if service.failure:
        return {
            **condition("Ready", FAILED, service.updated_at, service.failure),
            "reason": "REVISION_FAILED",
        }
    return condition("Ready", OK, service.updated_at)
