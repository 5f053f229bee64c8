"""Which RUNs can run before the sources are there."""

import pytest

from optimizer.model import Step, read
from optimizer.syntax import parse
from optimizer.transforms._independence import is_system, sets_up, why_dependent

CURL_SETUP = "curl -fsSL https://deb.nodesource.com/setup_20.x | bash - && apt-get install -y nodejs"

INDEPENDENT = [
    "apt-get update && apt-get install -y curl nginx=$V && rm -rf /var/lib/apt/lists/*",
    "apt-get -o Acquire::Retries=3 update; apt-get install -y --no-install-recommends 'libpng-dev' git",
    "set -eux; apt-get update; apt-get install -y gcc > /dev/null 2>&1; rm -rf /var/lib/apt/lists/* /tmp/*",
    "sudo -E apt-get update && sudo apt-get install -y git",
    "apk add --no-cache --virtual .build-deps gcc musl-dev && apk del .build-deps",
    "apk add --no-cache -X https://dl-cdn.alpinelinux.org/alpine/edge/testing watchexec",
    "yum install -y epel-release && yum clean all && rm -rf /var/cache/yum",
    "npm install -g npm@latest @angular/cli",
    "npm i -g serve && npm cache clean --force",
    "npm config set registry https://registry.example.com && npm install --global pm2",
    "pip install --no-cache-dir flask==2.0 'gunicorn>=20' uvicorn[standard]",
    "pip3 install -U pip setuptools wheel && pip config set global.index-url https://x/simple",
    "corepack enable && corepack prepare pnpm@8 --activate",
    "groupadd -r app && useradd -r -g app -s /bin/false app",
    "adduser -D -u 1000 app",
    CURL_SETUP,
    CURL_SETUP.replace("bash -", "sudo -E bash -"),
    "curl -fsSL -o /usr/local/bin/tini https://x/tini && chmod +x /usr/local/bin/tini",
    "wget -qO- https://x/a.tgz | tar xz -C /opt && ln -s /opt/a/bin/a /usr/bin/a",
    "wget -q -O /tmp/a.deb https://x/a.deb && dpkg -i /tmp/a.deb && rm /tmp/a.deb",
    "cd /tmp && wget https://x/a.tgz && tar -xzf a.tgz -C /usr/local --strip-components 1 && rm a.tgz",
    "echo 'deb http://x y main' >> /etc/apt/sources.list && apt-get update && apt-get install -y y",
    "sed -i 's/^# en_US/en_US/' /etc/locale.gen && locale-gen",
    "sed -i -e 's@a@b@' /etc/apt/sources.list && apt-get update",
    "mkdir -p /var/log/x && chown -R www-data:www-data /var/log/x && apt-get install -y x",
    'if [ "$DEBUG" = 1 ]; then apt-get install -y gdb; fi',
    "docker-php-ext-configure gd --with-jpeg=/usr/include/ && docker-php-ext-install gd pdo_mysql",
    "cd /opt && git clone --depth 1 https://x/y.git y",
    "cd / && apt-get install -y x",
    "f() { apt-get install -y $1; }; f curl && f git",
    "eval 'apt-get update'",
    "trap 'rm -f /var/lib/dpkg/lock' EXIT && apt-get update",
    "grep x <<< hello && apt-get update",
    "[[ -n $X ]] && apt-get install -y x",
    "gpg --import <(curl -fsSL https://x/key) && apt-get update",
    'git config --global url."https://$TOKEN@x/".insteadOf "https://x/" && git config --system http.sslVerify true',
]  # fmt: skip

DEPENDENT = [
    ("npm install", "npm install works on the project"),
    ("npm install express", "npm install works on the project"),
    ("npm install -g", "npm install works on the project"),
    ("npm install -g .", "through ."),
    ("npm install -g ./cli", "through ./cli"),
    ("npm run build", "what npm run reads"),
    ("npm install -g --prefix . x", "npm --prefix may name"),
    ("pip install -r requirements.txt", "pip -r may name"),
    ("pip install -qr requirements.txt", "pip -qr may name"),
    ("pip install --req=requirements.txt", "pip --req=requirements.txt may name"),
    ("pip install .", "through ."),
    ("pip install .[dev]", "through ."),
    ("pip install flask ./vendor/x", "through ./vendor/x"),
    ("pip install x.whl", "through x.whl"),
    ("pip install *.whl", "through *.whl"),
    ("pip install flask>=2", "a redirection to =2"),
    ("python -m pip install flask", "looks into the working directory"),
    ("yarn global add serve", "looks into the working directory"),
    ("apt-get install -y ./x.deb", "through ./x.deb"),
    ("apt-get install -y /app/x.deb", "through /app/x.deb"),
    ("apt-get source x", "what apt-get source reads"),
    ("apt-get build-dep .", "what apt-get build-dep reads"),
    ("apt-get install -y $(cat packages.txt)", "cat may touch the copied files through packages.txt"),
    ("apt-get install -y x && ./setup.sh", "what ./setup.sh reads is not known"),
    ("/app/bin/apt-get update", "what /app/bin/apt-get reads is not known"),
    ("xargs apt-get install -y < packages.txt", "a redirection to packages.txt"),
    ("apt-get install -y x > install.log", "a redirection to install.log"),
    ("sh -c 'cat /app/x > /etc/x'", "cat may touch"),
    ("sh -c 'echo x > /app/y'", "may touch the copied files"),
    ('apt-get install -y "x=$(< VERSION)"', "a substitution reads a file"),
    ("apt-get update && echo * ", "through *"),
    ("make install", "what make reads is not known"),
    ("curl -O https://x/y", "looks into the working directory"),
    ("curl -fsSLO https://x/y", "looks into the working directory"),
    ("curl -o y https://x/y", "through y"),
    ("curl -d @body.json https://x", "through @body.json"),
    ("curl https://example.com/install.sh | sh", "what sh reads is not known"),
    ("curl https://deb.nodesource.com/setup | bash -s ./x", "what bash reads is not known"),
    ("wget https://x/y", "looks into the working directory"),
    ("tar xzf /tmp/y.tgz", "looks into the working directory"),
    ("cd /app && ls", "cd may touch"),
    ("cd /app/.. && rm -rf *", "may touch"),
    ("rm -rf /", "through /"),
    ("rm -rf /a*", "through /a*"),
    ("rm -rf $X", "through $X"),
    ("chown -R app /app", "through /app"),
    ("useradd -m -d /app app", "through /app"),
    ("useradd --home-dir=/app app", "through --home-dir=/app"),
    ("adduser -h/app app", "through -h/app"),
    ('adduser -h "$UNKNOWN" app', 'through "$UNKNOWN"'),
    ("useradd -d $D app", "through $D"),
    ("mkdir -p /app/logs", "through /app/logs"),
    ("cp -r a /usr/share/x", "through a"),
    ("find / -name '*.pyc' -delete", "through /"),
    ("sed -i -e s/a/b/ x.conf", "may touch"),
    ("[ -f x ] && apt-get install -y y", "through x"),
    ('eval "$X"', "what eval reads is not known"),
    ("eval 'cat x'", "through x"),
    ("trap 'rm x' EXIT; apt-get update", "rm may touch"),
    ('trap "$X" EXIT; apt-get update', "what trap reads is not known"),
    ("f() { cat $1; }; f x", "through $1"),
    ('retry() { "$@"; }; retry apt-get update', 'what "$@" reads is not known'),
    ("[[ -f x ]] && apt-get update", "through x"),
    ("cat <(cat x)", "through x"),
    ("apt-get install -y 'unclosed", "not understood"),
]  # fmt: skip


def step_of(command: str, head: str = "WORKDIR /app") -> Step:
    return read(parse(f"FROM debian\n{head}\nCOPY . .\nRUN {command}\n")).steps[-1]


@pytest.mark.parametrize("command", INDEPENDENT)
def test_leaves_the_sources_alone(command: str) -> None:
    step = step_of(command, "WORKDIR /app\nARG V\nENV DEBUG=1")

    assert why_dependent(step, ["/app"]) is None
    assert sets_up(step)


@pytest.mark.parametrize(("command", "reason"), DEPENDENT)
def test_may_care_for_the_sources(command: str, reason: str) -> None:
    assert reason in (why_dependent(step_of(command, "WORKDIR /app\nENV D=/app"), ["/app"]) or "")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("ENV PATH=/app/bin:$PATH", "PATH leads programs"),
        ("ENV PATH=node_modules/.bin:$PATH", "PATH names a folder that is relative"),
        ("ENV PIP_CONFIG_FILE=/app/pip.conf", "PIP_CONFIG_FILE leads"),
        ("ENV HOME=/app", "HOME leads"),
        ("ENV APP_HOME=/app", None),
        ("ENV PATH=/opt/x/bin:$PATH", None),
    ],
)
def test_the_environment_may_lead_to_the_sources(head: str, reason: str | None) -> None:
    why = why_dependent(step_of("apt-get update", f"WORKDIR /app\n{head}"), ["/app"])

    assert why is None if reason is None else reason in (why or "")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("--mount=type=cache,target=/var/cache/apt apt-get update", None),
        ("--mount=type=cache,target=/app/x apt-get update", "mounts something at /app/x"),
        ("--mount=type=bind,source=x,target=/tmp/x apt-get update", "mounts the build context"),
        ("--mount=source=x,target=/tmp/x apt-get update", "mounts the build context"),
        ("--mount=type=bind,from=tools,target=/tools apt-get update", None),
        ('["apt-get", "update"]', None),
        ("<<EOF\napt-get update\nEOF", None),
        ("cat <<EOF > /etc/x\ny\nEOF", None),
        ("cat <<EOF > /app/x\ny\nEOF", "a redirection to /app/x may touch"),
        ("bash <<EOF\napt-get update\nEOF", None),
        ("bash <<EOF\nnpm install\nEOF", "npm install works on the project"),
        ("python3 <<EOF\nimport os\nEOF", "what python3 reads is not known"),
        ("<<EOF\n#!/bin/sh\napt-get update\nEOF", None),
        ("<<EOF\n#!/usr/bin/python3\nimport os\nEOF", "names its own interpreter"),
        ("apt-get update # first", None),
        ("apt-get update # first \\\n && cat /app/x", "a comment swallows"),
    ],
)
def test_flags_and_forms(command: str, reason: str | None) -> None:
    why = why_dependent(step_of(command), ["/app"])

    assert why is None if reason is None else reason in (why or "")


@pytest.mark.parametrize(
    ("command", "path", "reason"),
    [
        ("yarn global add x", "/app/.npmrc", "working directory"),
        ("cd /app/sub && yarn global add x", "/app/.npmrc", "working directory"),
        ("cd /tmp && yarn global add x", "/app", None),
        ("apt-get update", "/etc/apt/x.list", "programs of the system may use /etc/apt/x.list"),
        ("apt-get update", "<working directory of the base image>", "programs of the system"),
        ("useradd -m x", "/home/x/app", "home folder"),
        ("groupadd x", "/home/x/app", None),
        ("apt-get install -y nginx", "/var/www/html", "pages of its own"),
        ("apt-get install -y git", "/var/www/html", None),
        ("rm -rf ~/.cache", "/home/x/app", "through ~"),
        ("rm -rf ~/.cache", "/app", None),
    ],
)
def test_where_the_files_are(command: str, path: str, reason: str | None) -> None:
    why = why_dependent(step_of(command), [path])

    assert why is None if reason is None else reason in (why or "")


@pytest.mark.parametrize(
    ("path", "system"),
    [
        ("/", True), ("/etc/x", True), ("/usr/local/bin/x", True), ("/usr/src", True), ("/usr/share/nginx/html", True),
        ("/root", True), ("/root/.ssh", True), ("/home/node", True), ("/opt", True), ("/opt/venv", True),
        ("/tmp", True),
        ("/.npmrc", True), ("/lib64/x", True), ("app", True), ("/opt/miniconda/x", True), ("/home/x/.config", True),
        ("/app", False), ("/usr/src/app", False), ("/home/node/app", False), ("/opt/app", False), ("/srv/app", False),
        ("/library", False), ("/entrypoint.sh", False), ("/usr/app", False), ("/var/www/html", False),
        ("/tmp/x", False),
    ],
)  # fmt: skip
def test_folders_that_the_system_uses(path: str, system: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_system(path) is system


def test_other_work_sets_nothing_up() -> None:
    assert not sets_up(step_of("mkdir -p /data && ls"))
    assert not sets_up(step_of("npm-run-all x"))
