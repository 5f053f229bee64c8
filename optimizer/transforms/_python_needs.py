"""What the Python packages of an image need of its base: a compiler where they have no wheel, programs and libraries.

Which projects have compiled parts, and which of their releases have wheels, is what `optimizer.images.pypi` knows;
a project that it does not know is taken for plain Python.
"""

from collections.abc import Iterator

from msgspec import Struct

from optimizer.context import Context
from optimizer.images.pypi import NativeProject, has_wheel, native_project, packages_to_run
from optimizer.model import Dockerfile, Step
from optimizer.syntax.lazy_pattern import lazy_pattern
from optimizer.transforms._python_wanted import Wanted, wanted_by

# Projects without wheels that Debian does not package, and projects that bring one without a wheel along.
_COMPILED = {
    **dict.fromkeys(
        "annoy apache-airflow chroma-hnswlib deepspeed dlib fbprophet flash-attn llama-cpp-python mariadb "
        "mod-wsgi mysql-python psycopg-c pycrypto pyheif pyjnius pyminizip sasl ta-lib thriftpy".split(),
        "",
    ),
    "django-auth-ldap": "python-ldap",
    "face-recognition": "dlib",
    "flask-mysqldb": "mysqlclient",
    "flask-simpleldap": "python-ldap",
    "requests-kerberos": "gssapi",
}
_COMPILING_EXTRAS = frozenset("c gssapi kerberos krb5 ldap mysql postgresql postgresql-psycopg2 sasl uwsgi".split())
# What wheels and plain projects load or start that Debian's relations do not say.
_LOADED: dict[str, tuple[str, ...]] = {
    "cairocffi": ("libcairo2",),
    "cairosvg": ("libcairo2",),
    "kaleido": ("fontconfig",),
    "lightgbm": ("libgomp1",),
    "moviepy": ("imagemagick",),
    "playwright": ("libglib2.0-0",),
    "pyppeteer": ("libglib2.0-0",),
    "setuptools-git": ("git",),
    "svglib": ("libcairo2",),
    "xhtml2pdf": ("libcairo2",),
}
_STEM = lazy_pattern(r"lib[a-z]+(?:[+-](?=[a-z])(?!dev\b)[a-z]+)*")
_OLD_RELEASES = frozenset({"wheezy", "jessie", "stretch"})


class Interpreter(Struct, frozen=True):
    """What installs: the minor version of Python 3, the distribution release, and what the small image has not."""

    minor: int
    release: str
    lost: frozenset[str]  # packages that only the full image has
    current: bool  # whether its pip knows the wheels of today


def why_needed(
    dockerfile: Dockerfile, context: Context, step: Step, interpreter: Interpreter, has: frozenset[str]
) -> Iterator[str]:
    """Go through what a RUN installs that the small image is not enough for; `has` are packages that are installed."""
    for call in step.run.calls if step.run else ():
        for one in wanted_by(dockerfile, context, step, call):
            if isinstance(one, str):
                yield one
            elif reason := _why_project(one, interpreter, has):
                yield reason


def _why_project(wanted: Wanted, interpreter: Interpreter, has: frozenset[str]) -> str | None:
    if wanted.name in _COMPILED:
        brought = _COMPILED[wanted.name]
        return f"{wanted.name} is compiled" if not brought else f"{wanted.name} needs {brought}, which is compiled"
    if extra := next(iter(sorted(wanted.extras & _COMPILING_EXTRAS)), None):
        return f"{wanted.name}[{extra}] may bring what is compiled"
    project = native_project(wanted.name)
    if project and project.compiled and (reason := _why_compiled(wanted, project, interpreter)):
        return reason
    return _why_loaded(wanted, project, interpreter, has)


def _why_compiled(wanted: Wanted, project: NativeProject, interpreter: Interpreter) -> str | None:
    if interpreter.release in _OLD_RELEASES or not interpreter.current:
        return f"whether the pip of this image knows a wheel of {wanted.name} cannot be told"
    if wanted.version == "?":
        return f"which release of {wanted.name} is installed is not known, and it may have no wheel"
    versions = (wanted.version, *_spellings(wanted.version)) if wanted.version else (None,)
    if any(has_wheel(project, version, interpreter.minor) for version in versions):
        return None
    shown = f"{wanted.name} {wanted.version}" if wanted.version else wanted.name
    return f"{shown} has no wheel for Python 3.{interpreter.minor}, so that it is compiled"


def _spellings(version: str) -> Iterator[str]:
    """Go through the ways in which the same release may be written: 2.0 is 2 and 2.0.0."""
    at = version
    while at.endswith(".0"):
        at = at[:-2]
        yield at
    yield f"{version}.0"


def _why_loaded(
    wanted: Wanted, project: NativeProject | None, interpreter: Interpreter, has: frozenset[str]
) -> str | None:
    """Name what a project starts or loads that only the full image has; wheels bring most of their libraries."""
    loaded: tuple[str, ...] = _LOADED.get(wanted.name, ())
    if project and not loaded and (not project.compiled or not project.build) and "binary" not in wanted.extras:
        loaded = packages_to_run(project, interpreter.release)
    for package in loaded:
        if _is_of(package, interpreter.lost) and not _is_of(package, has):
            return f"{wanted.name} needs {package}, which the slim image lacks"
    return None


def _is_of(package: str, packages: frozenset[str]) -> bool:
    """Tell whether a package is among others, for a library by its name without version and ABI."""
    stem = _STEM.match(package)
    if not stem:
        return package in packages
    return any((found := _STEM.match(other)) and found[0] == stem[0] for other in packages)
