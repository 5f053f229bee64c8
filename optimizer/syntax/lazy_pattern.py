"""Regular expressions that are compiled when they are first used: most runs need few of them."""

import re
from typing import cast


class _Lazy:
    """A pattern's methods; each stands in for the compiled one, which it brings in at the first call of any."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        """Compile, and keep the method, so that the next look finds it without a detour."""
        if name.startswith("__"):
            raise AttributeError(name)
        method = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, method)
        return cast("object", method)


def lazy_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern as `re.compile` does, compiled at its first use."""
    return cast("re.Pattern[str]", _Lazy(text, flags))
