"""What the Python packages of an image need of its base: a compiler where they have no wheel, programs and libraries.

Which projects have compiled parts, and which of their releases have wheels, is what `optimizer.images.pypi` knows;
a project that it does not know is taken for plain Python.
"""

from collections.abc import Iterator

from msgspec import Struct

from optimizer.context import Context
from optimizer.images.pypi import NativeProject, has_wheel, native_project, packages_to_run
from optimizer.model import Dockerfile, Step
from optimizer.transforms._lack import Lack, is_among, named_in
from optimizer.transforms._python_projects import Wanted
from optimizer.transforms._python_wanted import wanted_by

# Projects without wheels that Debian does not package, with the libraries that they are linked to.
_COMPILED: dict[str, tuple[str, ...]] = {
    "annoy": (),
    "chroma-hnswlib": (),
    "dlib": ("libgif7", "libjpeg62-turbo", "liblapack3", "libopenblas0-pthread", "libpng16-16", "libwebp7", "libx11-6"),
    "fbprophet": (),
    "llama-cpp-python": ("libgomp1",),
    "mariadb": ("libmariadb3",),
    "mysql-python": ("libmariadb3",),
    "psycopg-c": ("libpq5",),
    "pycrypto": ("libgmp10",),
    "pyheif": ("libheif1",),
    "pyminizip": ("zlib1g",),
    "sasl": ("libsasl2-2",),
    "thriftpy": (),
}
# Those whose libraries are not known, or are not Debian's.
_OPAQUE = frozenset("apache-airflow deepspeed flash-attn mod-wsgi pyjnius ta-lib".split())
# Those that are linked to whatever libraries of the system they find when they are compiled.
_OPEN = frozenset("opencv-contrib-python opencv-contrib-python-headless opencv-python opencv-python-headless".split())
# Projects that bring one without a wheel along.
_BRINGING = {
    "django-auth-ldap": "python-ldap",
    "face-recognition": "dlib",
    "flask-mysqldb": "mysqlclient",
    "flask-simpleldap": "python-ldap",
    "requests-kerberos": "gssapi",
}
# What is linked to libraries that Debian's own builds of it are not.
_LINKED: dict[str, tuple[str, ...]] = {
    "pycurl": ("libcurl4",),
    "rpy2": ("r-base-core",),
    "uwsgi": ("libcap2", "libjansson4", "libpcre2-8-0", "libpcre3", "libssl1.1", "libssl3", "libssl3t64", "libxml2"),
}
_EXTRAS = {
    "c": ("libpq5",),
    "gssapi": ("libgssapi-krb5-2",),
    "kerberos": ("libgssapi-krb5-2",),
    "krb5": ("libgssapi-krb5-2",),
    "ldap": ("libldap2",),
    "mysql": ("libmariadb3",),
    "postgresql": ("libpq5",),
    "postgresql-psycopg2": ("libpq5",),
    "sasl": ("libsasl2-2",),
}
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
_OLD_RELEASES = frozenset({"wheezy", "jessie", "stretch"})


class Interpreter(Struct, frozen=True):
    """What installs: the minor version of Python 3, the distribution release, and what the small image has not."""

    minor: int
    release: str
    lost: frozenset[str]  # packages that only the full image has
    pool: frozenset[str]  # these, and what the Dockerfile installs: what is compiled is linked to nothing else
    current: bool  # whether its pip knows the wheels of today


def why_needed(
    dockerfile: Dockerfile, context: Context, step: Step, interpreter: Interpreter, has: frozenset[str]
) -> Iterator[Lack]:
    """Go through what a RUN installs that the small image is not enough for; `has` are packages that are installed."""
    for call in step.run.calls if step.run else ():
        for one in wanted_by(dockerfile, context, step, call):
            if isinstance(one, Lack):
                yield one
            else:
                yield from _why_project(one, interpreter, has)


def _why_project(wanted: Wanted, python: Interpreter, has: frozenset[str]) -> Iterator[Lack]:
    name, project = wanted.name, native_project(wanted.name)
    if name in _OPAQUE:
        yield Lack(f"{name} is compiled")
    elif name in _COMPILED:
        yield Lack(f"{name} is compiled", built=True, packages=named_in(_COMPILED[name], python.pool))
    elif name in _BRINGING:
        brought = _BRINGING[name]
        yield Lack(f"{name} needs {brought}, which is compiled", built=True, packages=_linked(brought, python))
    elif extra := next((extra for extra in sorted(wanted.extras) if extra in _EXTRAS), None):
        libraries = named_in(_EXTRAS[extra], python.pool)
        yield Lack(f"{name}[{extra}] may bring what is compiled", built=True, packages=libraries)
    elif project and project.compiled and (reason := _why_compiled(wanted, project, python)):
        yield Lack(reason, built=name not in _OPEN, packages=() if name in _OPEN else _linked(name, python))
    else:
        yield from _why_loaded(wanted, project, python, has)


def _linked(name: str, python: Interpreter) -> tuple[str, ...]:
    """Return the packages of the libraries that a project is linked to when it is compiled on a full image."""
    if name in _COMPILED or name in _LINKED:
        return named_in((*_COMPILED.get(name, ()), *_LINKED.get(name, ())), python.pool)
    project = native_project(name)
    runs = project.run if project else ()
    every = runs if isinstance(runs, tuple) else [package for packages in runs.values() for package in packages]
    return named_in(every, python.pool)


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
) -> Iterator[Lack]:
    """Name what a project starts or loads that only the full image has; wheels bring most of their libraries."""
    loaded: tuple[str, ...] = _LOADED.get(wanted.name, ())
    if project and not loaded and (not project.compiled or not project.build) and "binary" not in wanted.extras:
        loaded = packages_to_run(project, interpreter.release)
    for package in loaded:
        if is_among(package, interpreter.lost) and not is_among(package, has):
            found = named_in((package,), interpreter.lost)
            yield Lack(f"{wanted.name} needs {package}, which the slim image lacks", packages=found)
