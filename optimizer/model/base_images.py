"""The little that the model must know of base images: their shell and their working directory."""

# Official images that set no WORKDIR, so that a build starts in `/`.
# Source: the images' own Dockerfiles in github.com/docker-library and the vendors' repositories.
_START_IN_ROOT = frozenset(
    "almalinux alpine amazoncorretto amazonlinux archlinux buildpack-deps busybox debian eclipse-temurin fedora "
    "java memcached nginx node openjdk oraclelinux postgres python rockylinux ruby rust scratch "
    "ubuntu".split()
)
# Images whose commands are started by /bin/sh, and that have no ENTRYPOINT or one that ends in `exec "$@"` whatever it
# is given (node, php, maven, eclipse-temurin; those of databases and of nginx look at the program's name).
_PASS_COMMANDS_ON = frozenset(
    "almalinux alpine amazoncorretto amazonlinux archlinux buildpack-deps busybox centos debian eclipse-temurin elixir "
    "erlang fedora golang gradle haskell java maven node openjdk oraclelinux perl php pypy python rockylinux ruby rust "
    "swift tomcat ubuntu mcr.microsoft.com/dotnet/aspnet mcr.microsoft.com/dotnet/runtime "
    "mcr.microsoft.com/dotnet/runtime-deps mcr.microsoft.com/dotnet/sdk".split()
)
_WINDOWS = ("windowsservercore", "nanoserver", "mcr.microsoft.com/windows")


def repository(image: str) -> str:
    """Return an image's repository without registry default, tag and digest: `node` for docker.io/library/node:18."""
    name = image.split("@", 1)[0]
    head, _, tail = name.rpartition("/")
    name = (head + "/" if head else "") + tail.split(":", 1)[0]
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name


def workdir(image: str | None) -> str | None:
    """Return the directory in which a build on this image starts, None where it is not known."""
    if image is None or "onbuild" in image or repository(image) not in _START_IN_ROOT:
        return None
    return "/"


def passes_commands_on(image: str | None) -> bool:
    """Tell whether a CMD is started by this image as it stands, with /bin/sh where it is in shell form."""
    return image is not None and "onbuild" not in image and repository(image) in _PASS_COMMANDS_ON


def shell(image: str | None) -> tuple[str, ...]:
    """Return the shell that RUN starts on this image."""
    if image is not None and any(mark in image for mark in _WINDOWS):
        return ("cmd", "/S", "/C")
    return ("/bin/sh", "-c")
