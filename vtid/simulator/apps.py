"""Apps: each signs for itself with its own key, and gets tokens that end."""

import hashlib
from dataclasses import dataclass, field

import jwt

LONGEST_SIGNED_S = 600  # GitHub takes no signature that holds for longer
SKEW_S = 60
TOKEN_PREFIX = "ghs_"  # noqa: S105 - how GitHub marks the tokens of installations


class NotSigned(Exception):
    """The text is not a signature of an App that this GitHub knows. Says why, in GitHub's words."""


@dataclass
class App:
    """token_s: how long its tokens hold. tokens: token -> the moment of its end."""

    id: int
    slug: str
    public_key: str
    installations: tuple[int, ...]
    token_s: float
    tokens: dict[str, float] = field(default_factory=dict)

    @property
    def login(self) -> str:
        return f"{self.slug}[bot]"

    def new_token(self, now: float) -> tuple[str, float]:
        """A token, and the moment of its end."""
        made = hashlib.sha256(f"{self.id} {len(self.tokens)} {now}".encode()).hexdigest()[:36]
        self.tokens[TOKEN_PREFIX + made] = now + self.token_s
        return TOKEN_PREFIX + made, now + self.token_s


def signer(apps: dict[int, App], text: str) -> App:
    """The App that signed this JSON web token. Raises NotSigned."""
    try:
        claims = jwt.decode(text, options={"verify_signature": False})
        app = apps[int(claims["iss"])]
        jwt.decode(text, app.public_key, algorithms=["RS256"], options={"require": ["exp", "iat"]})
    except (jwt.PyJWTError, KeyError, ValueError):
        raise NotSigned("A JSON web token could not be decoded") from None
    if claims["exp"] - claims["iat"] > LONGEST_SIGNED_S + SKEW_S:
        raise NotSigned("'Expiration time' claim ('exp') is too far in the future")
    return app


def holder(apps: dict[int, App], token: str, now: float) -> App | None:
    """The App whose living token this is."""
    return next((app for app in apps.values() if app.tokens.get(token, now) > now), None)
