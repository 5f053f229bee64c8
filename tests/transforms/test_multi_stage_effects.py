"""What one call leaves in the image, by the rules that hold whatever the language."""

import pytest
from msgspec.structs import replace

from optimizer.context import Context
from optimizer.images import variant
from optimizer.model import read
from optimizer.syntax import parse
from optimizer.transforms import Subject
from optimizer.transforms.stages.effects import effect_of
from optimizer.transforms.stages.nodes import NOTHING, Build, Effect

FILES = {"conf/a.ini": "", "setup.sh": "#!/bin/sh\nmkdir -p /opt/x\nrm -rf /opt/y\n", "users.sh": "useradd app\n"}
FILES |= {"Makefile": "all:\n\t./configure\n\napp:\n\tgo build -o bin/$@ .\n"}


def effect(command: str) -> Effect:
    """Return the effect of the last call of a RUN in /app, to which a folder `conf` was copied."""
    text = f"FROM golang:1.22\nWORKDIR /app\nCOPY . .\nENV DIR=/srv/x\nRUN {command}\n"
    dockerfile = read(parse(text))
    step = dockerfile.steps[-1]
    assert step.run is not None
    full = variant("golang", "1.22")
    assert full is not None
    subject = Subject(dockerfile, Context.of(FILES))
    copied = {f"/app/{path}": path for path in FILES}
    build = Build(subject, dockerfile.stages[0], full, "bookworm", "/app", {}, copied, (), (), (), there={"/data"})
    call = step.run.calls[-1]
    return effect_of(replace(call, variables={**step.state.sure, **call.variables}), step, build)


@pytest.mark.parametrize(
    ("command", "makes"),
    [
        ("cp a /usr/local/bin/", ("/usr/local/bin/a",)),
        ("cp a /usr/local/bin", ("/usr/local/bin/a",)),
        ("cp a /data", ("/data/a",)),
        ("cp a conf", ("/app/conf/a",)),
        ("cp -r a /new", ("/new",)),
        ("cp -t /data a b", ("/data/a", "/data/b")),
        ("cp x/*.conf /new/", ("/new/",)),
        ("mv a /b", ("/b",)),
        ("install -m 755 a /usr/bin/b", ("/usr/bin/b",)),
        ("curl -o x https://e.org/y", ("/app/x",)),
        ("curl -fsSLo /x https://e.org/y", ("/x",)),
        ("curl -sS --output=/x https://e.org/y", ("/x",)),
        ("curl -LO https://e.org/y.tgz", ("/app/y.tgz",)),
        ("curl -m 10 -O https://e.org/y.tgz", ("/app/y.tgz",)),
        ("curl -o /x https://e.org/x -o /y https://e.org/y", ("/x", "/y")),
        ("wget https://e.org/y.tgz", ("/app/y.tgz",)),
        ("wget -qO/bin/x https://e.org/y", ("/bin/x",)),
        ("wget -O $DIR/x https://e.org/y", ("/srv/x/x",)),
        ("wget -P /data https://e.org/y", ("/data/y",)),
        ("tar -xzf a.tgz -C /data", ("/data/",)),
        ("tar xf a.tar", ("/app/",)),
        ("unzip -q a.zip -d /data", ("/data/",)),
        ("git clone https://e.org/x.git", ("/app/x/",)),
        ("git clone --depth 1 https://e.org/x.git /y", ("/y/",)),
        ("ln a /b", ("/b",)),
    ],
)
def test_files_that_are_copied(command: str, makes: tuple[str, ...]) -> None:
    found = effect(command)

    assert (found.makes, found.again, found.unknown) == (makes, False, None)


@pytest.mark.parametrize(
    ("command", "makes"),
    [
        ("mkdir -p a /b", ("/app/a", "/b")),
        ("touch /a", ("/a",)),
        ("ln -sf /a /usr/bin/b", ("/usr/bin/b",)),
        ("ln -s /a/b /usr/bin", ("/usr/bin/b",)),
        ("chown -R app:app /a $DIR", ("/a", "/srv/x")),
        ("chmod 755 /a/*", ("/a/",)),
        ("useradd app", ()),
        ("echo a > /etc/b", ("/etc/b",)),
        ("sed -i s/a/b/ /etc/b", ("/etc/b",)),
        ("sed -i -e s/a/b/ -e s/c/d/ /etc/b", ("/etc/b",)),
        ("tee /etc/b", ("/etc/b",)),
    ],
)
def test_what_is_done_again(command: str, makes: tuple[str, ...]) -> None:
    found = effect(command)

    assert (found.makes, found.again, found.unknown) == (makes, True, None)


@pytest.mark.parametrize(
    "command",
    [
        "echo hello",
        "ls -la > /dev/null 2>&1",
        "anything --version",
        "curl https://e.org/health",
        "wget -qO- https://e.org",
        "curl -o /dev/null https://e.org",
        "apt-get update",
        "apt-get clean",
        "git checkout v1",
        "test -f /a",
        "sed s/a/b/ /etc/c",
        "strip app",
    ],
)
def test_what_leaves_nothing(command: str) -> None:
    assert effect(command) == NOTHING


@pytest.mark.parametrize(
    ("command", "removes"),
    [
        ("rm -rf /a b", ("/a", "/app/b")),
        ("rm -rf /tmp/*", ("/tmp/*",)),
        ("find /a -name x -delete", ("/a/**",)),
        ("mv a /b", ("/app/a",)),
    ],
)
def test_what_is_removed(command: str, removes: tuple[str, ...]) -> None:
    assert effect(command).removes == removes


@pytest.mark.parametrize(
    ("command", "packages"),
    [
        ("apt-get install -y a b=1.0", ("a", "b=1.0")),
        ("apt-get install -y --no-install-recommends a", ("a",)),
        ("apt-get purge -y a", ("a-",)),
        ("DEPS='a b' && apt-get install -y $DEPS c", ("a", "b", "c")),
    ],
)
def test_packages(command: str, packages: tuple[str, ...]) -> None:
    assert effect(command).packages == packages


def test_a_makefile_of_the_project_is_read() -> None:
    assert effect("make app").makes == ("/app/bin/app",)
    assert effect("make").unknown


def test_a_script_of_the_project_is_read() -> None:
    found = effect("sh setup.sh")

    assert (found.makes, found.removes, found.again) == (("/opt/x",), ("/opt/y",), False)


@pytest.mark.parametrize(
    "command",
    [
        "some-tool",
        "sh users.sh",
        "sh missing.sh",
        "bash -s",
        "setcap cap_net_raw=ep /a",
        "cp a $UNKNOWN",
        "cp $(ls) /opt",
        "curl -OJ https://e.org/y",
        "curl --output-dir /x -O https://e.org/y",
        "wget --content-disposition https://e.org/y",
        "wget -O $UNKNOWN https://e.org/y",
        "wget 'https://e.org/y?a=b'",
        "tar -czf /a.tgz /b",
        "tar -xf a.tar -C $UNKNOWN",
        "apt-get install -y $PACKAGES",
        "apt-get install -y ./local.deb",
        "apt-get build-dep x",
        "apt-mark auto '.*'",
        "git config --system a b",
        "rm -rf $UNKNOWN/x",
        "echo a > $UNKNOWN",
        "find /a -exec convert {} +",
        "mkdir $UNKNOWN",
    ],
)
def test_what_is_not_known(command: str) -> None:
    assert effect(command).unknown
