"""Random requests over the whole OpenAPI document against a real API on a socket, and what its answers may be.

`python -m tests.fuzz --cases 5000 [--seed N]` prints the figures; the same seed asks the same. Half of the
requests keep to the document and half break it. Names in addresses and bodies are often ones that exist, so that
the routes behind the first check are met, too.
"""

import hashlib
import hmac
import random
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from requests.auth import AuthBase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.gateway.paths import is_gateway

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# An endless answer; tests/api/test_stream.py has it.
ENDLESS = "/api/v1/events/stream"
ROUNDS, MOST_IN_A_TURN = 4, 10  # several rounds, so that early calls meet what later ones made
_TIMEOUT_SECONDS = 30.0
OF_OLD = ("vtid", "active_vtid", "worker_id", "run_id", "success", "summary", "type", "details")


@dataclass
class Known:
    """Names that exist in the fuzzed API, by what they are."""

    values: dict[str, list[Any]] = field(default_factory=dict)

    def of(self, name: str) -> list[Any]:
        return self.values.get(name, [])


@dataclass
class Findings:
    """What came of it.

    wrong: how an answer broke the document -> the first request that showed it. never_well: operations that
    were never answered with 2xx, so that little of them was met.
    """

    cases: int = 0
    operations: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    never_well: set[str] = field(default_factory=set)
    wrong: dict[str, str] = field(default_factory=dict)

    def says(self) -> str:
        """The figures in one line."""
        counts = ", ".join(f"{status}: {number}" for status, number in sorted(self.statuses.items()))
        return f"{self.cases} cases over {self.operations} operations ({counts}), {len(self.wrong)} findings"


def fuzz(url: str, key: str, webhook_secret: str, known: Known, *, cases: int, seed_number: int) -> Findings:
    """Ask so many times, spread evenly over all operations. Blocking."""
    operations = _operations(url)
    findings = Findings(operations=len(operations))
    with requests.Session() as session:
        session.trust_env = False
        session.auth = _Credentials(key, webhook_secret)
        asking = _Asking(session, url, known, random.Random(seed_number), findings)
        turn = 0
        while findings.cases < cases:
            before = findings.cases
            share = max(1, min(cases // (ROUNDS * 2 * len(operations)), MOST_IN_A_TURN))
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                for operation in operations:
                    turn += 1
                    number = min(share, cases - findings.cases)
                    if number > 0 and _exists(operation, mode):
                        _ask(asking, operation, mode, number, seed_number + turn)
            if findings.cases == before:
                raise RuntimeError("no request could be made for any operation")
    findings.never_well = {each.label for each in operations} - asking.well
    return findings


def _operations(url: str) -> list[Any]:
    document = requests.get(f"{url}/openapi.json", timeout=_TIMEOUT_SECONDS).json()
    # Who may call is tested elsewhere, role by role; here it would only keep half of the requests at the door.
    document["components"].pop("securitySchemes", None)
    for item in document["paths"].values():
        for operation in item.values():
            operation.pop("security", None)
    found: list[Any] = list(schemathesis.openapi.from_dict(document).get_all_operations())
    return [operation for each in found if (operation := each.ok()).path != ENDLESS]


def _exists(operation: Any, mode: GenerationMode) -> bool:
    """Of a call that takes nothing but a text in its address there is no wrong one: looking for it takes long."""
    return mode is GenerationMode.POSITIVE or bool(operation.query) or bool(operation.body)


class _Credentials(AuthBase):
    """Our key, and what GitHub would sign its webhooks with."""

    def __init__(self, key: str, webhook_secret: str) -> None:
        self._key, self._secret = key, webhook_secret.encode()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        if "/webhooks/github" in (request.url or ""):
            body = request.body.encode() if isinstance(request.body, str) else request.body or b""
            digest = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            request.headers["X-Hub-Signature-256"] = f"sha256={digest}"
            request.headers["X-GitHub-Delivery"] = digest[:32]
            request.headers["X-GitHub-Event"] = ("pull_request", "check_run", "push")[int(digest[0], 16) % 3]
        return request


def _ask(asking: "_Asking", operation: Any, mode: GenerationMode, number: int, turn_seed: int) -> None:
    """So many requests of one kind; none where there is none, such as a wrong one of a call that takes nothing."""
    strategy = operation.as_strategy(generation_mode=mode)

    @seed(turn_seed)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def one(case: Any) -> None:
        asking.one(case)

    with warnings.catch_warnings(), suppress(Unsatisfiable):
        warnings.simplefilter("ignore")
        one()


class _Asking:
    def __init__(
        self, session: requests.Session, url: str, known: Known, chance: random.Random, findings: Findings
    ) -> None:
        self._session, self._url, self._known = session, url, known
        self._chance, self._findings = chance, findings
        self.well: set[str] = set()

    def one(self, case: Any) -> None:
        """Send it and hold the answer against the document."""
        self._settle(case)
        response = case.call(base_url=self._url, session=self._session, timeout=_TIMEOUT_SECONDS)
        self._findings.cases += 1
        self._findings.statuses[response.status_code] += 1
        if response.status_code < 300:
            self.well.add(case.operation.label)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                what = f"{case.method} {case.path}: {response.status_code}: {failure.title}"
                told = f"{failure.message}\n{case.as_curl_command()}\n{response.text[:600]}"
                self._findings.wrong.setdefault(what, told)

    def _settle(self, case: Any) -> None:
        """Put names that exist where names stand, most of the time; never wait for long."""
        for holder in (case.path_parameters, case.query, case.body):
            if not isinstance(holder, dict):
                continue
            for name in list(holder):
                if (there := self._known.of(name)) and self._chance.random() < 0.7:
                    holder[name] = self._chance.choice(there)
            if isinstance(holder.get("wait_seconds"), int | float) and 0 <= holder["wait_seconds"] <= 30:
                holder["wait_seconds"] = 0
        if case.method == "PATCH" and self._chance.random() < 0.5:
            case.headers["If-Match"] = "*"
        # The document says little about what the old clients send, so chance alone would find none of it.
        if isinstance(case.body, dict) and is_gateway(case.path):
            said = [name for name in OF_OLD if self._chance.random() < 0.6]
            case.body |= {name: self._chance.choice(self._known.of(name)) for name in said}
