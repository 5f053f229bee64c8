"""The little that the model must know of base images: their shell and their working directory."""

# Official images that set no WORKDIR, so that a build starts in `/`.
# Source: the images' own Dockerfiles in github.com/docker-library and the vendors' repositories.
_START_IN_ROOT = frozenset(
    "almalinux alpine amazoncorretto amazonlinux archlinux buildpack-deps busybox debian eclipse-temurin fedora gcc "
    "java memcached nginx node openjdk oraclelinux postgres python rockylinux ruby rust scratch "
    "ubuntu".split()
)
_START_IN = {"golang": "/go"}  # its GOPATH
# Images whose commands are started by /bin/sh, and that have no ENTRYPOINT or one that ends in `exec "$@"` whatever it
# is given (node, php, maven, eclipse-temurin; those of databases and of nginx look at the program's name).
_PASS_COMMANDS_ON = frozenset(
    "almalinux alpine amazoncorretto amazonlinux archlinux buildpack-deps busybox centos debian eclipse-temurin elixir "
    "erlang fedora golang gradle haskell java maven node openjdk oraclelinux perl php pypy python rockylinux ruby rust "
    "swift tomcat ubuntu mcr.microsoft.com/dotnet/aspnet mcr.microsoft.com/dotnet/runtime "
    "mcr.microsoft.com/dotnet/runtime-deps mcr.microsoft.com/dotnet/sdk".split()
)
# Variables of official images that Dockerfiles build paths from. Source: the images' own Dockerfiles.
_VARIABLES = {
    "golang": {"GOPATH": "/go"},
    "gradle": {"GRADLE_HOME": "/opt/gradle"},
    "httpd": {"HTTPD_PREFIX": "/usr/local/apache2"},
    "maven": {"MAVEN_HOME": "/usr/share/maven", "MAVEN_CONFIG": "/root/.m2"},
    "php": {"PHP_INI_DIR": "/usr/local/etc/php"},
    "ruby": {"GEM_HOME": "/usr/local/bundle", "BUNDLE_APP_CONFIG": "/usr/local/bundle"},
    "rust": {"CARGO_HOME": "/usr/local/cargo", "RUSTUP_HOME": "/usr/local/rustup"},
    "tomcat": {"CATALINA_HOME": "/usr/local/tomcat"},
}
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
    if image is None or "onbuild" in image:
        return None
    name = repository(image)
    return "/" if name in _START_IN_ROOT else _START_IN.get(name)


def variables(image: str | None) -> dict[str, str]:
    """Return the variables that an image is known to set, as far as paths are built from them."""
    return {} if image is None else _VARIABLES.get(repository(image), {})


def passes_commands_on(image: str | None) -> bool:
    """Tell whether a CMD is started by this image as it stands, with /bin/sh where it is in shell form."""
    return image is not None and "onbuild" not in image and repository(image) in _PASS_COMMANDS_ON


def shell(image: str | None) -> tuple[str, ...]:
    """Return the shell that RUN starts on this image."""
    if image is not None and any(mark in image for mark in _WINDOWS):
        return ("cmd", "/S", "/C")
    return ("/bin/sh", "-c")
