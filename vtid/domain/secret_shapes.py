"""Secrets in texts of others: by the shapes that well-known issuers give them, by where they stand, or by value.

Whatever an outside says goes through `masked` before it is kept, and before it is cut: half of a secret has not the
shape of one.
"""

import re
from collections.abc import Iterable

_KINDS: dict[str, re.Pattern[str]] = {
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
    "GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "Google API key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}"),
    "private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "Anthropic key": re.compile(r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    "sk- key": re.compile(r"\bsk-(?!ant-)(?:[a-z]+-)*[A-Za-z0-9_]{20,}"),
    "Stripe key": re.compile(r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    "Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "Google access token": re.compile(r"\bya29\.[A-Za-z0-9_-]{20,}"),
    "JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
}


# What is masked besides: the body of a key, not its first line alone; the password in an address, and what makes it an
# address that lets in whoever has it; credentials in a header; and what a name says is one.
_BODY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.DOTALL
)
_PASSWORD = re.compile(r"(?<=://)([^\s:/@]*):[^\s/@]+(?=@)")

_SIGNED = re.compile(
    r"([?&](?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|Signature|sig|(?:access_|id_)?token|"
    r"(?:api_?)?key|password|secret)=)[^&\s\"'<>]+",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+)[^\s\"',]+", re.IGNORECASE
)
_NAMED = re.compile(
    r"((?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:=[\"']?|[\"']\s*:\s*[\"']))"
    r"[^\s\"',;&)\[\]]{6,}",
    re.IGNORECASE,
)
_SHORTEST = 6  # characters; a shorter known value would mask half of every text


def masked(text: str, known: Iterable[str] = ()) -> str:
    """The text without the known values and without the secret-looking ones."""
    for value in known:
        text = text.replace(value, "[secret masked]") if len(value) >= _SHORTEST else text
    text = _BODY.sub("[private key masked]", text)
    text = _PASSWORD.sub(r"\1:[password masked]", text)
    for kind, shape in _KINDS.items():
        text = shape.sub(f"[{kind} masked]", text)
    for place in (_SIGNED, _HEADER, _NAMED):
        text = place.sub(r"\1[masked]", text)
    return text


def secrets_in_patch(path: str, patch: str) -> tuple[str, ...]:
    """`path: kind` for each kind of secret that the patch adds, never the value itself."""
    added = "\n".join(line[1:] for line in patch.splitlines() if line.startswith("+"))
    return tuple(f"{path}: {kind}" for kind, shape in _KINDS.items() if shape.search(added))
