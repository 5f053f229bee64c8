"""Tokens as values that cannot be printed by accident, and texts without them."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

_HIDDEN = "(hidden)"
_TELLING = 8  # a shorter piece of Base64 may be in any text
_USER_IN_URL = re.compile(r"(?<=://)[^/@\s'\"]+(?=@)")


class Secret:
    """A token. Neither `str`, `repr`, a format nor a traceback shows it; `reveal` gives it to whoever must send it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        """Give nothing away."""
        return _HIDDEN

    def reveal(self) -> str:
        """Return the token itself."""
        return self._text


def redacted(text: str, secrets: Iterable[Secret]) -> str:
    """Return a text without the secrets, as they are, quoted for URLs or in Base64, and without users in URLs."""
    for form in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    return _USER_IN_URL.sub(_HIDDEN, text)


def _forms(secrets: Iterable[Secret]) -> set[str]:
    found: set[str] = set()
    for secret in secrets:
        token = secret.reveal()
        found |= {token, quote(token, safe="")}
        # A header holds `user:token` in Base64; what precedes the token shifts it by none, one or two bytes.
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + token.encode()).decode().rstrip("=")
            inner = coded[(0, 2, 3)[shift] : -1]
            found |= {inner} if len(inner) >= _TELLING else set()
    return {form for form in found if form}
