"""The same contract against the real vendors: `pytest -m live`. It only reads. See docs/simulator.md."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from tests.contract.reading import read_cloud_run, read_github
from tests.contract.recorder import recording
from tests.contract.vendors import misfits
from vtid.adapters.cloud_run import CloudRun
from vtid.adapters.github import GitHub

pytestmark = pytest.mark.live

GITHUB_API = "https://api.github.com"
CLOUD_RUN_API = "https://run.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def setting(name: str, usual: str | None = None) -> str:
    value = os.environ.get(name) or usual
    if value is None:
        pytest.skip(f"set {name}; docs/simulator.md says which others")
    return value


def test_the_real_github_fits_its_description() -> None:
    token, repository = setting("LIVE_GITHUB_TOKEN"), setting("LIVE_GITHUB_REPOSITORY")
    number, branch = int(setting("LIVE_GITHUB_PULL_REQUEST")), setting("LIVE_GITHUB_BRANCH", "main")
    api = urlsplit(setting("LIVE_GITHUB_API_URL", GITHUB_API))
    with recording(f"{api.scheme}://{api.netloc}") as door:  # GraphQL lies beside REST, not under it
        read_github(GitHub(f"{door.url}{api.path}", token), repository, branch, number)

        assert list(misfits(door.exchanges)) == []


def test_the_real_cloud_run_fits_its_description() -> None:
    project, region = setting("LIVE_CLOUD_RUN_PROJECT"), setting("LIVE_CLOUD_RUN_REGION")
    service, api = setting("LIVE_CLOUD_RUN_SERVICE"), setting("LIVE_CLOUD_RUN_API_URL", CLOUD_RUN_API)
    with recording(api, google_credentials if api == CLOUD_RUN_API else dict) as door:
        read_cloud_run(CloudRun(door.url), project, region, service)

        assert list(misfits(door.exchanges)) == []


def google_credentials() -> dict[str, str]:
    """The machine's own: our client leaves them out on plain HTTP, as it must."""
    import google.auth
    from google.auth.transport.requests import Request

    credentials, _ = google.auth.default(scopes=[SCOPE])
    credentials.refresh(Request())  # type: ignore[no-untyped-call]
    return {"Authorization": f"Bearer {credentials.token}"}
