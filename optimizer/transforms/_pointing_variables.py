"""Variables that make programs read files they are not told of on their command line."""

import re
from collections.abc import Sequence

from optimizer.context import Context
from optimizer.model import Step
from optimizer.shell import Call
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._copies import Copied, image_path

# Settings, certificates and code. Sources: https://docs.npmjs.com/cli/v10/using-npm/config ("npm_config_" in any
# letter case), https://nodejs.org/api/cli.html#environment-variables, openssl's SSL_CERT_FILE, curl(1), requests,
# https://pip.pypa.io/en/stable/topics/configuration/, bash(1).
_POINTING = lazy_pattern(
    r"(?i:npm_config_(?:user_?config|global_?config|ca_?file|cert_?file|key_?file|node_options))"
    r"|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR)|\w+_CA_(?:BUNDLE|CERTS?|FILE|INFO)|GIT_SSL_CAINFO"
    r"|(?:PIP|BUN_CONFIG|UV|CARGO_HTTP)_(?:CERT|CLIENT_CERT|CAINFO)|\w+_CONFIG_FILE|NETRC|CONDARC|BASH_ENV|LD_PRELOAD|PYTHONPATH"
)
_SITE = ("sitecustomize.py", "usercustomize.py")  # https://docs.python.org/3/library/site.html


def why_pointed(call: Call, step: Step, context: Context, copies: Sequence[Copied], known: Sequence[str]) -> str | None:
    """Say which variable makes a call read a file that the COPYs bring, other than the `known` image paths."""
    for name, value in {**step.state.args, **step.state.env, **call.variables}.items():
        if not value or not _POINTING.fullmatch(name):
            continue
        for piece in _pieces(name, value):
            path = image_path(piece, call.directory)
            sources = (source for copied in copies if (source := copied.source_of(path)) is not None)
            if path not in known and any(map(context.exists, sources)):
                return f"{name} names {piece}, which the COPY brings"
    return None


def _pieces(name: str, value: str) -> list[str]:
    """Return the names of files in a value; of a search path for modules, those that Python imports at each start."""
    pieces = [piece for piece in re.split(r"[\s=:,]+", value) if piece]
    return [f"{piece}/{file}" for piece in pieces for file in _SITE] if name == "PYTHONPATH" else pieces
