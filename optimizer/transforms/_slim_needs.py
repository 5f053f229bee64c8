"""Why a stage, and those that stand on it, cannot do with the slim variant of its base image."""

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from optimizer.context import Context
from optimizer.images import Variant, packages, suite
from optimizer.images.packages import lost_commands
from optimizer.images.pythons import python_minor
from optimizer.model import Dockerfile, Step
from optimizer.model.base_images import repository
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms import _node_needs, _python_needs
from optimizer.transforms._lack import Lack
from optimizer.transforms._mentioned import mentioned, sources_in
from optimizer.transforms._runtime_needs import Need, Unknown, installed, needs_of

# What the images put into /usr/local, so that its variants have it, though Debian has packages of that name too.
_OWN = {
    "python": lazy_pattern(r"python[\d.]*|pip[\d.]*|pydoc[\d.]*|idle[\d.]*|2to3.*|python[\d.]*-config"),
    "node": lazy_pattern(r"node|nodejs|npm|npx|yarn|yarnpkg|corepack"),
    "ruby": lazy_pattern(r"ruby|gem|irb|bundler?|rake|rdoc|ri|erb|racc|rackup"),
}
_OWN_FOLDERS = frozenset({"", "/usr/local/bin", "/usr/local/sbin"})
_SYSTEM_PATH = lazy_pattern(r"(?<![\w./$}])/(?:usr/(?:bin|sbin|lib|share|include|libexec)|bin|sbin|lib|etc)/[\w./+*-]+")
# Places that every Debian image has, or that hold what this build puts there.
_EVERYWHERE = lazy_pattern(
    r"/etc/(?:apt|passwd|group|shadow|hosts|hostname|resolv\.conf|profile(?:\.d)?|environment|localtime|timezone"
    r"|bash\.bashrc|default|init\.d|cron\.d|security|skel|issue|motd|os-release|debian_version|ld\.so\.conf(?:\.d)?|dpkg|sudoers(?:\.d)?"
    r"|nsswitch\.conf|locale\.gen|systemd|nginx|supervisor|pip\.conf|npmrc)(?:/.*)?"
    r"|/usr/share/(?:zoneinfo|keyrings|nginx)(?:/.*)?|/usr/lib/(?:apt|dpkg|os-release)(?:/.*)?"
    r"|/(?:usr/)?s?bin/(?:env|sh|bash|dash|tini|dumb-init|nologin|false|true|ln|cat|chmod|chown|mkdir|rm|cp|mv|tar|date|echo"
    r"|dpkg.*|apt.*|sed|grep|gosu|entrypoint[\w.-]*|start[\w.-]*|docker[\w.-]*)"
)
_NEEDS_MANUALS = lazy_pattern(
    r"openjdk-.*|default-j(?:re|dk).*|postgresql.*|ca-certificates-java|tomcat\d*|maven|gradle|ant|scala"
)
_MANUALS = lazy_pattern(r"/usr/share/(?:doc|groff|info|linda|lintian|locale|man)\b[\w./*+-]*")
_USES_TLS = frozenset({"curl", "wget", "git", "openssl", "svn", "hg"})
_OTHER_LANGUAGE = lazy_pattern(r"\b(?:LANG|LANGUAGE|LC_ALL|LC_MESSAGES)[= ][\"']?(?!C\b|en|POSIX)([a-z]{2,3}_[A-Z]{2})")
_ASKED_FOR = frozenset("bzip2 curl git hg make pgrep pkill ps scp ssh svn unzip wget xz".split())
_COMPILERS = frozenset("c++ cargo cc cmake g++ gcc go gradle make meson mvn ninja rustc".split())
_PYTHON_LIBRARIES = lazy_pattern(r"\bfind_library\b|\b(?:CDLL|LoadLibrary|cdll\.\w+)\s*\(|\bffi\.dlopen\b")
_TKINTER = lazy_pattern(r"^\s*(?:from|import)\s+(?:tkinter|turtle|idlelib|Tkinter)\b", re.MULTILINE)
_TLS_FILES = lazy_pattern(r"/etc/ssl|SSL_CERT_|NODE_EXTRA_CA_CERTS|use-openssl-ca")
# Fonts and tables of the system that sources read by path, or by the name of a font that only full images have.
_SYSTEM_FILES = lazy_pattern(r"/usr/share/(?:fonts|mime|dict)|/etc/(?:mime\.types|ImageMagick)|DejaVuSans|fontconfig")
_FROM_SOURCE = lazy_pattern(
    r"PIP_(?:NO_BINARY|CONSTRAINT|REQUIREMENT)|UV_(?:NO_BINARY|CONSTRAINT)|build_from_source|build-from-source",
    re.IGNORECASE,
)
_COMPOSE = tuple(
    f"{name}{kind}.{end}"
    for name in ("docker-compose", "compose")
    for kind in ("", ".override", ".prod", ".production")
    for end in ("yml", "yaml")
)
_STARTED_BY_COMPOSE = lazy_pattern(r"^\s*(?:test|command|entrypoint)\s*:(.*(?:\n\s*-[^\n:]*$)*)", re.MULTILINE)
_NATIVE_FILES = lazy_pattern(r".*\.(?:so(?:\.\d+)*|node|a|o)")
_STATIC_IMAGES = lazy_pattern(r"ghcr\.io/astral-sh/uv(?:[:@].*)?|(?:docker\.io/)?(?:library/)?busybox(?:[:@].*)?")
_KNOWN_BUILDERS = frozenset({"python", "node", "alpine", "scratch", "ghcr.io/astral-sh/uv"})
_FIRST_PIP = "2021-01"  # from here on the images' pip knows all kinds of wheels


class Change(Struct, frozen=True):
    """The variants that a stage stands on and may stand on, and the stages that this concerns.

    With `split` they go on building on the full variant, and a container gets the slim one: what they install is not
    there then, unless it is named.
    """

    full: Variant
    slim: Variant
    stages: frozenset[int]
    split: bool = False

    @property
    def lost(self) -> frozenset[str]:
        """The packages that only the full image has."""
        return (packages(self.full) or frozenset()) - (packages(self.slim) or frozenset())


def lacks(dockerfile: Dockerfile, context: Context, change: Change) -> Iterator[Lack]:
    """Go through what the slim variant lacks that the build or a container may need."""
    release = suite(change.full)
    commands = lost_commands((change.full.image, change.full.tag), (change.slim.image, change.slim.tag))
    if release is None or commands is None:
        yield Lack(f"the packages of {change.full.name} are not known")
        return
    judge = _Judge(dockerfile, context, change, commands, release)
    if not (commands or change.lost or change.split):
        yield from judge.manuals()
        return
    yield from judge.commands_started()
    yield from judge.installs()
    yield from judge.copies()
    yield from judge.paths()
    yield from judge.composed()
    yield from judge.sources()


class _Judge(Struct, frozen=True):
    """What the questions have in common; `commands` are those that only the full image has, with their packages."""

    dockerfile: Dockerfile
    context: Context
    change: Change
    commands: dict[str, frozenset[str]]
    release: str

    def has(self, stage: int, until: int | None = None) -> frozenset[str]:
        """Return the packages that a stage installs, as far as they are there when it counts."""
        return frozenset() if self.change.split else installed(self.dockerfile, stage, self.release, until)

    def missing(self, name: str, place: str, *, built: bool = False) -> Lack:
        """Say that a program is started that the slim variant lacks, and which package brings it."""
        owners = {one.removesuffix("-minimal") for one in self.commands[name] & self.change.lost}  # with all modules
        packages = sorted(owners, key=lambda package: (package != name, package))
        return Lack(f"{place} {name}, which the slim image lacks", built, () if built else tuple(packages[:1]))

    def commands_started(self) -> Iterator[Lack]:
        """Go through the programs that RUN, CMD, ENTRYPOINT, HEALTHCHECK and their scripts start."""
        for need in needs_of(self.dockerfile, self.context, self.change.stages):
            built = self.dockerfile.steps[need.index].run is not None
            if isinstance(need, Unknown):
                yield Lack(need.reason, built)
            elif need.installs and not built:
                yield Lack(f"{need.place} has {need.name} install packages, which may be compiled")
            elif lack := self._why_need(need, built=built):
                yield lack

    def _why_need(self, need: Need, *, built: bool) -> Lack | None:
        has, lost = self.has(need.stage, need.index), self.change.lost
        if need.name in _USES_TLS and "ca-certificates" in lost and "ca-certificates" not in has:
            reason = f"{need.name} ({need.place}) needs ca-certificates, which the slim image lacks"
            brought = self.missing(need.name, "", built=built).packages if need.name in self.commands else ()
            return Lack(reason, built, () if built else ("ca-certificates", *brought))
        if need.name not in self.commands or _is_own(self.change.full.image, need.program):
            return None
        return None if self.commands[need.name] & has else self.missing(need.name, f"{need.place} starts", built=built)

    def installs(self) -> Iterator[Lack]:
        """Go through what the package managers of the languages install, also in the stages that are copied from."""
        change, dockerfile = self.change, self.dockerfile
        if built := _FROM_SOURCE.search(dockerfile.document.source):
            yield Lack(f"{built[0]} may have packages built from their sources", "build" in built[0].lower())
        minor, stages = python_minor(change.full), _with_sources(dockerfile, change)
        for step in dockerfile:
            if step.run is None or step.stage not in stages:
                continue
            has, pool = self.has(step.stage, step.index), change.lost | installed(dockerfile, step.stage, self.release)
            lost = pool if change.split else change.lost
            if minor is not None:
                current = change.full.last is None or change.full.last >= _FIRST_PIP
                python = _python_needs.Interpreter(minor, self.release, lost, pool, current)
                yield from _python_needs.why_needed(dockerfile, self.context, step, python, has)
            elif (
                any(re.match(r"pip|python", call.program) for call in step.run.calls) and change.full.image == "python"
            ):
                yield Lack(f"which wheels there are for {change.full.name} is not known")
            stock = _node_needs.Stock(lost, has, pool)
            yield from _node_needs.why_needed(dockerfile, self.context, step, stock)
            yield from self._why_manuals(step)

    def _why_manuals(self, step: Step) -> Iterator[Lack]:
        there = installed(self.dockerfile, step.stage, self.release, step.index)
        if manual := next((name for name in sorted(there) if _NEEDS_MANUALS.fullmatch(name)), None):
            yield Lack(f"{manual} may ask for the folders of manuals, which the slim image lacks")

    def manuals(self) -> Iterator[Lack]:
        """Go through what asks for manuals and translations, where the slim image lacks nothing else."""
        yield from (lack for lack in self.commands_started() if lack.built)
        for step in self.dockerfile:
            if step.stage in self.change.stages and step.name not in {"FROM", "LABEL"}:
                yield from _why_language(step)
                yield from self._why_manuals(step)
                named = _MANUALS.search(step.instruction.body.text)
                if named and not any(named[0] in word for word in _removed(step)):
                    yield Lack(f"line {step.line} names {named[0]}, which the slim image lacks")
        for path, text in sources_in(self.dockerfile, self.context, _with_sources(self.dockerfile, self.change)):
            if named := _MANUALS.search(text):
                yield Lack(f"{path} speaks of {named[0]}, which the slim image lacks")

    def composed(self) -> Iterator[Lack]:
        """Go through what a compose file beside the sources starts in containers, such as its own health checks."""
        for path in _COMPOSE:
            text = (self.context.read_bytes(path) or b"").decode("utf-8", "replace")
            for match in _STARTED_BY_COMPOSE.finditer(text):
                words = set(re.findall(r"[\w.+-]+", match[1])) & self.commands.keys() & _ASKED_FOR
                yield from (self.missing(word, f"{path} starts") for word in sorted(words))

    def copies(self) -> Iterator[Lack]:
        """Go through the files that come from elsewhere and may be linked to what only the full image has."""
        dockerfile, change = self.dockerfile, self.change
        for step in dockerfile:
            source = step.instruction.flag("from") if step.name == "COPY" else None
            if source is None:
                continue
            stage = next((s for s in dockerfile.stages[: step.stage] if source.lower() in {s.name, str(s.index)}), None)
            if step.stage in change.stages:
                yield from _why_from(dockerfile, change, step, source if stage is None else stage.index)
            elif stage is not None and stage.index in change.stages:
                yield from (
                    Lack(f"line {step.line} takes {word} from the image")
                    for word in step.instruction.arguments[:-1]
                    if word == "/" or _SYSTEM_PATH.match(word)
                )
        for path in self.context.under(""):
            if _NATIVE_FILES.fullmatch(path) and "node_modules/" not in path:
                yield Lack(f"{path} may be linked to a library that the slim image lacks")

    def paths(self) -> Iterator[Lack]:
        """Go through the instructions that name a place of the system that packages of the full image may have made."""
        for step in self.dockerfile:
            if step.stage not in self.change.stages or step.name in {"FROM", "LABEL", "COPY", "ADD"}:
                continue
            yield from _why_language(step)
            removed = _removed(step)
            for match in _SYSTEM_PATH.finditer(step.instruction.body.text):
                if not _EVERYWHERE.fullmatch(match[0]) and not any(match[0] in word for word in removed):
                    reason = f"line {step.line} names {match[0]}, which the slim image may lack"
                    yield Lack(reason, built=step.run is not None)

    def sources(self) -> Iterator[Lack]:
        """Go through what the sources that are taken in start, load and read."""
        names = frozenset(name for name in self.commands if not _is_own(self.change.full.image, name))
        stages = _with_sources(self.dockerfile, self.change)
        for need in mentioned(self.dockerfile, self.context, stages, names):
            if not self.commands[need.name] & self.has(need.stage):
                yield self.missing(need.name, f"{need.place} may start")
        tls = "ca-certificates" in self.change.lost
        for path, text in sources_in(self.dockerfile, self.context, stages):
            yield from _why_text(path, text, tls=tls)
        if tls and (told := _TLS_FILES.search(self.dockerfile.document.source)):
            reason = f"the Dockerfile speaks of {told[0]}, and the slim image has no certificates"
            yield Lack(reason, packages=("ca-certificates",))


def _removed(step: Step) -> list[str]:
    calls = step.run.calls if step.run else ()
    return [word.text for call in calls if call.program == "rm" for word in call.words]


def _why_language(step: Step) -> Iterator[Lack]:
    if spoken := _OTHER_LANGUAGE.search(step.instruction.body.text):
        yield Lack(f"line {step.line} asks for another language ({spoken[1]}), and the slim image has no translations")


def _why_text(path: str, text: str, *, tls: bool) -> Iterator[Lack]:
    if path.endswith(".py") and _TKINTER.search(text):
        yield Lack(f"{path} imports tkinter, whose libraries the slim image lacks")
    if path.endswith(".py") and _PYTHON_LIBRARIES.search(text):
        yield Lack(f"{path} loads a shared library")
    if found := _SYSTEM_FILES.search(text):
        yield Lack(f"{path} speaks of {found[0]}, which the slim image lacks")
    if "<text" in text and "sharp" in text:
        yield Lack(f"{path} draws text with sharp, and the slim image has no fonts")
    if tls and _TLS_FILES.search(text):
        reason = f"{path} reads the certificates of the system, which the slim image lacks"
        yield Lack(reason, packages=("ca-certificates",))


def _is_own(image: str, program: str) -> bool:
    own = _OWN.get(image)
    folder, name = posixpath.split(program)
    return own is not None and bool(own.fullmatch(name)) and folder in _OWN_FOLDERS


def _with_sources(dockerfile: Dockerfile, change: Change) -> frozenset[int]:
    """Return the stages of a change with those that they take files from, and what these stand on."""
    found = set(change.stages)
    for stage in range(len(dockerfile.stages) - 1, -1, -1):
        if stage in found:
            found |= dockerfile.lineage(stage) | dockerfile.copied_from.get(stage, frozenset())
    return frozenset(found)


def _why_from(dockerfile: Dockerfile, change: Change, step: Step, source: str | int) -> Iterator[Lack]:
    if isinstance(source, str):
        if not _STATIC_IMAGES.fullmatch(source):
            yield Lack(f"what line {step.line} takes from {source} may need the full image")
        return
    if source in change.stages:
        return
    lineage = dockerfile.lineage(source)
    base = dockerfile.stages[min(lineage)].base or ""
    if repository(base) not in _KNOWN_BUILDERS:
        yield Lack(f"what line {step.line} takes from {base or 'another stage'} may need the full image")
    for other in dockerfile:
        for call in other.run.calls if other.run and other.stage in lineage else ():
            if call.program in _COMPILERS:
                reason = f"what {call.program} makes in line {other.line} may be linked to what the slim image lacks"
                yield Lack(reason)
