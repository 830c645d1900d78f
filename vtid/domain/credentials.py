"""What a process shows to the code host to say who it is."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AppKey:
    """An App of the code host. It has rights of its own, writes under its own name, and its tokens last an hour.

    private_key: RSA, in PEM. installation: which of the App's installations is ours; None: its only one.
    """

    app_id: int
    private_key: str = field(repr=False)
    installation: int | None = None


Credentials = str | AppKey
"""A token as it is (empty: none), or an App that makes its own."""
