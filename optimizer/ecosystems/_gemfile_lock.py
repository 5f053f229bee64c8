"""Whether `bundle install` leaves a Gemfile.lock as it is.

Sources: https://bundler.io/man/bundle-install.1.html ("The Gemfile.lock"), https://bundler.io/man/bundle-lock.1.html
and Bundler's `lockfile_parser.rb` and `definition.rb`.
"""

import re

from optimizer.context import Context
from optimizer.ecosystems._files import Refused
from optimizer.ecosystems._gemfile import Gemfile, versions
from optimizer.syntax.lazy_pattern import lazy_pattern

_SECTION = lazy_pattern(r"^([A-Z][A-Z ]+)\n((?:[ ].*\n|\n)*)", re.MULTILINE)
_ENTRY = lazy_pattern(r"^  ([^\s(!]+)(?: \(([^)]*)\))?(!?)$", re.MULTILINE)
_REMOTE = lazy_pattern(r"^  remote: (.+)$", re.MULTILINE)
_BUNDLED = lazy_pattern(r"\s+[2-9]\d*\.")
_LINUX = frozenset({"x86_64-linux", "aarch64-linux"})


def check_paths(context: Context, path: str) -> None:
    """Raise `Refused` where a locked gem lies in the project."""
    text = context.text(path) or ""
    if re.search(r"^PATH$|^PLUGIN SOURCE$", text, re.MULTILINE):
        raise Refused(f"{path} has a gem that is a folder of the project")
    for remote in _REMOTE.findall(text):
        if "://" not in remote and not re.match(r"[\w.-]+@[\w.-]+:", remote):
            raise Refused(f"{path} takes gems from {remote}")


def check_order(context: Context, path: str, gemfile: Gemfile) -> None:
    """Raise `Refused` where an install that may write the lock file would, or may, do so."""
    text = (context.text(path) or "").replace("\r\n", "\n") + "\n"
    sections = dict(_SECTION.findall(text))
    if gemfile.gems is None:
        raise Refused(f"the Gemfile has conditions, so that bundle install may write {path} anew")
    locked = {name: versions(wanted.split(",") if wanted else []) for name, wanted, _ in _ENTRY.findall(
        sections.get("DEPENDENCIES", "")
    )}  # fmt: skip
    remotes = {remote.rstrip("/") for remote in _REMOTE.findall(text)}
    if (
        locked != dict(gemfile.gems)
        or not gemfile.sources <= remotes
        or gemfile.names_ruby != ("RUBY VERSION" in sections)
        or not _BUNDLED.match(sections.get("BUNDLED WITH", ""))
        or any("sha256=" not in line for line in sections.get("CHECKSUMS", "").splitlines() if line.strip())
    ):
        raise Refused(f"bundle install may write {path} anew, which does not match the Gemfile")
    platforms = set(sections.get("PLATFORMS", "").split())
    if "ruby" not in platforms and not platforms >= _LINUX:
        raise Refused(f"bundle install may add its platform to {path}")
