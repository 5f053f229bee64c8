"""Which caches are kept out of the layers, and which places are left alone."""

import pytest

from optimizer.context import Context
from optimizer.engine import Plan, Result, optimize

PLAN = Plan(select=frozenset({"clean-package-caches"}))
INSTALL = "RUN apt-get update && apt-get install -y curl"
CLEANED = f"{INSTALL} && rm -rf /var/lib/apt/lists/*"


def run(text: str, files: dict[str, str] | None = None) -> Result:
    return optimize(text, Context.of(files or {}), PLAN)


def debian(*lines: str) -> str:
    return "\n".join(["FROM debian:12", *lines, ""])


def image(base: str, *lines: str) -> str:
    return "\n".join([f"FROM {base}", *lines, ""])


def node(*lines: str) -> str:
    return image("node:20", *lines)


NPM = "npm cache clean --force"
CHANGES = {
    "a comment at the end of the line": (debian(f"{INSTALL} # the client"), debian(f"{CLEANED} # the client")),
    "statements, of which the last one's status counts": (
        debian("RUN apt-get update; apt-get install -y x"),
        debian("RUN apt-get update; apt-get install -y x && rm -rf /var/lib/apt/lists/*"),
    ),
    "statements that end in the install": (
        node("RUN cd /src; npm ci"),
        node(f"RUN cd /src; npm ci && {NPM}"),
    ),
    "a loop": (
        debian("RUN apt-get update && for x in a; do apt-get install -y $x; done"),
        debian("RUN apt-get update && for x in a; do apt-get install -y $x; done && rm -rf /var/lib/apt/lists/*"),
    ),
    "a long line is continued": (
        debian(INSTALL + " " + "x" * 60),
        debian(INSTALL + " " + "x" * 60 + " \\\n    && rm -rf /var/lib/apt/lists/*"),
    ),
    "trailing operators and tabs are kept": (
        debian("RUN apt-get update && \\\n\tapt-get install -y curl && \\\n\tcurl --version"),
        debian(
            "RUN apt-get update && \\\n\tapt-get install -y curl && \\\n\tcurl --version && \\\n"
            "\trm -rf /var/lib/apt/lists/*"
        ),
    ),
    "a comment line inside stays": (
        debian("RUN apt-get update \\\n    # the client\n    && apt-get install -y curl"),
        debian(
            "RUN apt-get update \\\n    # the client\n    && apt-get install -y curl \\\n"
            "    && rm -rf /var/lib/apt/lists/*"
        ),
    ),
    "statements under set -e go on in their style": (
        debian("RUN set -eux; apt-get update; apt-get install -y curl; curl --version"),
        debian("RUN set -eux; apt-get update; apt-get install -y curl; curl --version; rm -rf /var/lib/apt/lists/*"),
    ),
    "a later RUN that fetches its own lists": (debian(INSTALL, INSTALL), debian(CLEANED, CLEANED)),
    "a clean-up that comes before the install, or in a later RUN, does not count": (
        debian(
            "RUN rm -rf /var/lib/apt/lists/* && apt-get update && apt-get install -y curl",
            "RUN rm -rf /var/lib/apt/lists/*",
        ),
        debian(
            "RUN rm -rf /var/lib/apt/lists/* && apt-get update && apt-get install -y curl \\\n"
            "    && rm -rf /var/lib/apt/lists/*",
            "RUN rm -rf /var/lib/apt/lists/*",
        ),
    ),
    "apt-get clean leaves the lists": (
        debian(f"{INSTALL} && apt-get clean"),
        debian(f"{INSTALL} && apt-get clean && rm -rf /var/lib/apt/lists/*"),
    ),
    "an installer that is piped into a shell refreshes the lists": (
        debian("RUN curl -sL https://deb.nodesource.com/setup_20.x | bash - && apt-get install -y nodejs"),
        debian(
            "RUN curl -sL https://deb.nodesource.com/setup_20.x | bash - && apt-get install -y nodejs \\\n"
            "    && rm -rf /var/lib/apt/lists/*"
        ),
    ),
    "two managers in one RUN": (
        debian(f"{INSTALL} && pip install flask"),
        debian(f"{INSTALL} && pip install --no-cache-dir flask \\\n    && rm -rf /var/lib/apt/lists/*"),
    ),
    "a flag never goes into the argument of an option": (
        "FROM alpine:3.20\nRUN apk --virtual add add gcc\n",
        "FROM alpine:3.20\nRUN apk --virtual add add --no-cache gcc\n",
    ),
    "a flag on a continued line": (
        "FROM alpine:3.20\nRUN apk \\\n      add \\\n      gcc\n",
        "FROM alpine:3.20\nRUN apk \\\n      add --no-cache \\\n      gcc\n",
    ),
    "several apk calls, each with a flag": (
        "FROM alpine:3.20\nRUN apk add -U gcc && apk add git\nRUN apk add curl\n",
        "FROM alpine:3.20\nRUN apk add --no-cache -U gcc && apk add --no-cache git\nRUN apk add --no-cache curl\n",
    ),
    "an index that apk update has stored is removed": (
        "FROM alpine:3.20\nRUN apk update && apk add curl\n",
        "FROM alpine:3.20\nRUN apk update && apk add curl && rm -rf /var/cache/apk/*\n",
    ),
    "yum": ("FROM centos:7\nRUN yum -y install git\n", "FROM centos:7\nRUN yum -y install git && yum clean all\n"),
    "zypper": (
        "FROM opensuse/leap\nRUN zypper -n in git\n",
        "FROM opensuse/leap\nRUN zypper -n in git && zypper clean --all\n",
    ),
    "CRLF": (
        "FROM debian:12\r\nRUN apt-get update && \\\r\n  apt-get install -y curl\r\n",
        (
            "FROM debian:12\r\nRUN apt-get update && \\\r\n  apt-get install -y curl && \\\r\n"
            "  rm -rf /var/lib/apt/lists/*\r\n"
        ),
    ),
    "no newline at the end": (f"FROM debian:12\n{INSTALL}", f"FROM debian:12\n{CLEANED}"),
    "the lists of a cache mount for something else": (
        debian(INSTALL.replace("RUN", "RUN --mount=type=cache,target=/root/.npm")),
        debian(
            INSTALL.replace("RUN", "RUN --mount=type=cache,target=/root/.npm")
            + " \\\n    && rm -rf /var/lib/apt/lists/*"
        ),
    ),
    "npm, at the end where nothing behind can take it away": (
        node("RUN npm ci && rm -rf /tmp/* ~/.cache && echo done"),
        node(f"RUN npm ci && rm -rf /tmp/* ~/.cache && echo done && {NPM}"),
    ),
    "npm, in front of a script that nobody knows": (
        node('RUN npm install --production && "${HOME}/docker/harden.sh" && rm -rf /root/.??* /var/cache/apk/*'),
        node(
            f'RUN npm install --production && {NPM} && "${{HOME}}/docker/harden.sh"'
            " && rm -rf /root/.??* /var/cache/apk/*"
        ),
    ),
    "npm, in front of what takes it away": (
        image("alpine:3.20", "RUN apk add --no-cache npm \\\n && npm ci \\\n && apk del npm"),
        image("alpine:3.20", f"RUN apk add --no-cache npm \\\n && npm ci \\\n && {NPM} \\\n && apk del npm"),
    ),
    "npm, with trailing operators and a comment behind": (
        node("RUN npm ci && \\\n    # the pages\n    npm run build"),
        node(f"RUN npm ci && \\\n    {NPM} && \\\n    # the pages\n    npm run build"),
    ),
    "npm, in a script of statements": (
        node("RUN set -e; npm ci; npm run build; ls"),
        node(f"RUN set -e; npm ci; {NPM}; npm run build; ls"),
    ),
    "npm, in the directory of the install": (
        node("RUN cd web && npm ci && cd .. && rm -rf /tmp/x"),
        node(f"RUN cd web && npm ci && {NPM} && cd .. && rm -rf /tmp/x"),
    ),
    "npm, before its directory goes": (
        node("WORKDIR /tmp/x", "RUN npm i -g . && rm -rf /tmp/*"),
        node("WORKDIR /tmp/x", f"RUN npm i -g . && {NPM} && rm -rf /tmp/*"),
    ),
    "npm, before its home moves": (
        node("RUN npm ci && export HOME=/tmp && date"),
        node(f"RUN npm ci && {NPM} && export HOME=/tmp && date"),
    ),
    "npm that replaces itself and is used below": (
        node("RUN npm install -g npm@10", "RUN npm ci"),
        node(f"RUN npm install -g npm@10 && {NPM}", f"RUN npm ci && {NPM}"),
    ),
    "npm by its path": (
        node("RUN /opt/node/bin/npm ci"),
        node(f"RUN /opt/node/bin/npm ci && /opt/node/bin/{NPM}"),
    ),
    "npm and apt in one RUN": (
        node("RUN apt-get update && apt-get install -y git && npm ci && make"),
        node(f"RUN apt-get update && apt-get install -y git && npm ci && {NPM} && make && rm -rf /var/lib/apt/lists/*"),
    ),
    "yum, before a link to another Python": (
        image("centos:7", "RUN yum -y install gcc && make && ln -sf /usr/local/bin/python3 /usr/bin/python"),
        image(
            "centos:7",
            "RUN yum -y install gcc && yum clean all && make && ln -sf /usr/local/bin/python3 /usr/bin/python",
        ),
    ),
    "yum, behind its own removals": (
        image("centos:7", "RUN yum -y install gcc && yum -y remove gcc"),
        image("centos:7", "RUN yum -y install gcc && yum -y remove gcc && yum clean all"),
    ),
    "lists, in front of a removal of everything": (
        debian(f"{INSTALL} && find / -delete"),
        debian(f"{CLEANED} && find / -delete"),
    ),
    "lists, behind an installer that is known": (
        debian(f"{INSTALL} && curl https://sh.rustup.rs | sh -s -- -y"),
        debian(f"{INSTALL} && curl https://sh.rustup.rs | sh -s -- -y \\\n    && rm -rf /var/lib/apt/lists/*"),
    ),
    "a removal with -f below": (
        image("alpine:3.20", "RUN apk add git", "RUN rm -f /var/cache/apk/*"),
        image("alpine:3.20", "RUN apk add --no-cache git", "RUN rm -f /var/cache/apk/*"),
    ),
    "a removal below of what its own RUN has fetched": (
        image("alpine:3.20", "RUN apk add git", "RUN apk add gcc && rm /var/cache/apk/*"),
        image("alpine:3.20", "RUN apk add --no-cache git", "RUN apk add gcc && rm /var/cache/apk/*"),
    ),
    "a removal below of something else": (
        image("python:3.12", "RUN pip install x", "RUN rm -r /root/.cache/yarn /tmp/x && rm -r /var/cache"),
        image(
            "python:3.12", "RUN pip install --no-cache-dir x", "RUN rm -r /root/.cache/yarn /tmp/x && rm -r /var/cache"
        ),
    ),
    "the dependencies, and not the project that is installed afterwards": (
        image("python:3.12", "RUN uv sync --no-install-project", "COPY . .", "RUN uv sync"),
        image("python:3.12", "RUN uv sync --no-cache --no-install-project", "COPY . .", "RUN uv sync"),
    ),
    "later commands that need no lists": (
        debian(INSTALL, "RUN apt-get purge -y curl && apt-get autoremove -y", "RUN dpkg -l apt && ./configure"),
        debian(CLEANED, "RUN apt-get purge -y curl && apt-get autoremove -y", "RUN dpkg -l apt && ./configure"),
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGES.values(), ids=CHANGES)
def test_changes(before: str, after: str) -> None:
    result = run(before)

    assert result.after == after
    assert run(after).after == after


STAYS = {
    "the start command installs in exec form": (
        debian(INSTALL, 'CMD ["sh", "-c", "apt-get install -y curl"]'),
        "CMD in line 3 may install packages",
    ),
    "the start command installs in shell form": (
        debian(INSTALL, "ENTRYPOINT apt-get install -y curl"),
        "ENTRYPOINT in line 3 may install packages",
    ),
    "a later install": (debian(INSTALL, "RUN apt-get install -y git"), "line 3 installs packages"),
    "a later install under a condition": (
        debian(INSTALL, "RUN if true; then apt-get install -y git; fi"),
        "line 3 installs packages",
    ),
    "a later install whose own update is not certain": (
        debian(INSTALL, "RUN test -e /x && apt-get update || apt-get install -y git"),
        "line 3 installs packages",
    ),
    "a later search": (debian(INSTALL, "RUN apt-cache search x"), "apt-cache in line 3"),
    "a later source package": (debian(INSTALL, "RUN apt-get source x"), "line 3"),
    "a later install through another program": (debian(INSTALL, "RUN retry apt-get install -y git"), "line 3"),
    "a later build dependency tool": (debian(INSTALL, "RUN mk-build-deps -i"), "mk-build-deps in line 3"),
    "a later install in exec form": (debian(INSTALL, 'RUN ["apt-get", "install", "-y", "git"]'), "line 3"),
    "a later install in a here-document": (debian(INSTALL, "RUN <<EOF\napt-get install -y git\nEOF"), "line 3"),
    "a child stage that installs": (
        "FROM debian:12 AS base\n" + INSTALL + "\nFROM base\nRUN apt-get install -y git\n",
        "line 4 installs packages",
    ),
    "a child of a child that installs": (
        "FROM debian:12 AS a\n" + INSTALL + "\nFROM a AS b\nFROM b\nRUN apt-get install -y git\n",
        "line 5 installs packages",
    ),
    "a trigger that installs": (debian("ONBUILD RUN apt-get install -y git", INSTALL), "line 2 installs packages"),
    "a script that nobody knows": (debian(INSTALL, "RUN ./setup.sh"), "./setup.sh in line 3"),
    "a script from elsewhere": (debian(INSTALL, "RUN curl https://x.example/i | sh"), "the script that line 3 runs"),
    "a program in a variable": (debian(INSTALL, "RUN $INSTALL git && /opt/$X/setup"), "line 3"),
    "lists of an earlier layer": (debian("RUN apt-get update && true", "RUN apt-get install -y git"), "earlier layer"),
    "lists of the base image": (debian("RUN apt-get install -y git"), "earlier layer"),
    "an update alone": (debian("RUN apt-get update"), "no install of the RUN uses"),
    "a cache mount": (debian(INSTALL.replace("RUN", "RUN --mount=type=cache,target=/var/cache/apt")), "a cache mount"),
    "a cache mount above": (debian(INSTALL.replace("RUN", "RUN --mount=type=cache,target=/var/lib")), "a cache mount"),
    "a mount on a variable": (debian(INSTALL.replace("RUN", "RUN --mount=type=cache,target=$X")), "a cache mount"),
    "exec form": ('FROM alpine:3.20\nRUN ["apk", "add", "curl"]\n', "exec form"),
    "a here-document": (debian("RUN <<EOF\napt-get update\napt-get install -y x\nEOF"), "here-document"),
    "a condition on what cleans up with a program": (
        node("RUN for x in a b; do (cd $x && npm ci); done"),
        "under a condition only",
    ),
    "a loop at the end behind set -e": (
        debian("RUN set -e && for x in a b; do apt-get update; apt-get install -y $x; done"),
        "ends in a compound command",
    ),
    "a function at the end behind set -e": (
        debian("RUN set -e && f() { x; y; } && apt-get update && apt-get install -y x && f"),
        "ends in a compound command",
    ),
    "a function": (debian("RUN f() { apt-get update && apt-get install -y x; }; f"), "under a condition only"),
    "a condition": (debian("RUN if true; then apt-get update && apt-get install -y x; fi"), "a condition"),
    "a loop under set -e": (
        debian("RUN set -e; for x in a b; do apt-get update && apt-get install -y $x; done"),
        "ends in a compound command",
    ),
    "a failure that is let pass": (debian(f"{INSTALL} || true"), "under a condition only"),
    "statements and a row under set -e": (
        debian("RUN set -e; apt-get update; apt-get install -y x && x"),
        "not joined by && alone",
    ),
    "statements and a shell with -e": (
        debian('SHELL ["/bin/bash", "-ec"]', "RUN apt-get update; apt-get install -y x && x"),
        "not joined by && alone",
    ),
    "the tool that cleans up may not be there, and nothing asked for it": (
        node("RUN npm ci; echo done"),
        "not joined by && alone",
    ),
    "a trap": (debian("RUN trap 'echo' EXIT && apt-get update && apt-get install -y x"), "the trap of the RUN"),
    "a comment that swallows the rest": (
        debian("RUN apt-get update \\\n  && apt-get install -y x # the client \\\n  && x"),
        "a comment swallows",
    ),
    "another shell": (debian('SHELL ["cmd", "/C"]', "RUN npm install -g x"), "the shell is cmd"),
    "set -e switched off": (debian("RUN set -e; apt-get update; set +e; apt-get install -y x"), "switches set -e off"),
    "a list at the end under set -e": (
        debian("RUN set -e; apt-get update; apt-get install -y x; if true; then x; fi"),
        "ends in a compound command",
    ),
    "a script within the script": (debian('RUN bash -c "apt-get update && apt-get install -y x"'), "within the script"),
    "another user": (debian("USER app", INSTALL), "the user is app"),
    "a user that only the build knows": (debian("ARG U", "USER $U", INSTALL), "the user is $U"),
    "sudo": (debian("RUN sudo apt-get update && sudo apt-get install -y x"), "another user"),
    "the environment": (debian("ENV PIP_NO_CACHE_DIR=1", "RUN pip install x"), "PIP_NO_CACHE_DIR"),
    "an old release of pip": ("FROM ubuntu:14.04\nRUN pip install x\n", "does not know --no-cache-dir"),
    "an old release of apk": ("FROM alpine:3.2\nRUN apk add x\n", "does not know --no-cache"),
    "an old image on an old release": ("FROM node:0.12\nRUN pip install x\n", "does not know --no-cache-dir"),
    "an old release of conda": ("FROM continuumio/miniconda3:4.5.4\nRUN conda install -y x\n", "does not know -afy"),
    "an old release of conda that is installed": (
        debian("RUN curl -O https://x.example/Miniconda3-4.5.4-Linux-x86_64.sh", "RUN conda install -y x"),
        "line 2 shows that the release may not know -afy",
    ),
    "an old release of conda that is asked for": (
        debian("RUN /opt/conda/bin/conda install --yes conda==3.14.1"),
        "line 2 shows that the release may not know -afy",
    ),
    "options that new releases of pip dropped": (
        debian("RUN pip install --allow-external PIL PIL"),
        "line 2 shows that the release may not know --no-cache-dir",
    ),
    "lists and a script that may take rm away": (debian(f"{INSTALL} && ./harden.sh"), "./harden.sh in line 2"),
    "npm beside a script in one pipeline": (node("RUN npm ci | ./log.sh"), "log.sh may take npm away"),
    "npm with a home of its own": (node("RUN HOME=/tmp npm ci"), "HOME is set for the install alone"),
    "npm that replaces itself": (node("RUN npm install -g npm@latest"), "an npm that does not run"),
    "npm in its own folder": (
        node("RUN cd $(npm root -g)/npm && npm install fs-extra && sed -i s/a/b/ lib/x.js"),
        "npm works on its own files",
    ),
    "npm through env": (node("RUN env PATH=/opt/node/bin npm ci"), "PATH is set for the install alone"),
    "npm in a shell of its own": (node("RUN (. /opt/nvm.sh && npm ci) && date"), "a shell of its own"),
    "a module that cleans up by another name": (
        image("python:3.12", "RUN python -m pdm sync"),
        "how python is started to clean up is not known",
    ),
    "a removal without -f below": (
        image("alpine:3.20", "RUN apk add git", "RUN apk del git && rm /var/cache/apk/*"),
        "the rm of line 3 fails",
    ),
    "a removal without -f in a child stage": (
        image("alpine:3.20 AS a", "RUN apk update && apk add x", "FROM a", "WORKDIR /var/cache/apk", "RUN rm *"),
        "the rm of line 5 fails",
    ),
    "a removal without -f of a home's cache": (
        image("python:3.12", "RUN pip install x", 'RUN rm -r "$HOME/.cache"'),
        "the rm of line 3 fails",
    ),
    "a removal without -f in braces": (
        debian(INSTALL, "RUN rm -r /var/{lib/apt/lists,tmp}/*"),
        "the rm of line 3 fails",
    ),
    "a mount in another user's home": (
        image(
            "python:3.12",
            "USER app",
            "RUN --mount=type=cache,target=/home/app/.cache/pip pip install x",
        ),
        "a cache mount",
    ),
    "a removal without -f in another user's home": (
        image("python:3.12", "USER app", "RUN pip install x", "RUN rm -r /home/app/.cache"),
        "the rm of line 4 fails",
    ),
    "pip cache purge below": (
        image("python:3.12", "RUN pip install x", "RUN pip cache purge"),
        "the pip of line 3 fails",
    ),
    "an install from the cache below": (node("RUN npm ci", "RUN npm ci --offline"), "line 3 works without the network"),
    "a cache that another stage takes": (
        image("node:20 AS a", "RUN npm ci", "FROM a AS b", "FROM b", "COPY --from=a /root/.npm /cache"),
        "line 5 copies the cache",
    ),
    "packagecloud's installer, which may need lists first": (
        debian(INSTALL, "RUN curl -s https://packagecloud.io/install/repositories/x/y/script.deb.sh | bash"),
        "the script that line 3 runs",
    ),
    "a fresh index that a script may need": ("FROM alpine:3.20\nRUN apk add -U x\nRUN ./setup.sh\n", "./setup.sh"),
}


@pytest.mark.parametrize(("text", "reason"), STAYS.values(), ids=STAYS)
def test_stays(text: str, reason: str) -> None:
    result = run(text)

    assert result.after == text
    assert any(reason in d.reason for d in result.declined), result.declined


SILENT = {
    "cleaned already": debian(CLEANED),
    "cleaned with other things": debian(f"{INSTALL} && rm -rf /tmp/* /var/lib/apt/lists/*"),
    "flagged already": "FROM alpine:3.20\nRUN apk add --no-cache curl\n",
    "a stage that is not shipped": f"FROM debian:12 AS build\n{INSTALL}\nFROM scratch\nCOPY --from=build /x /x\n",
    "nothing to do with packages": debian("RUN make"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_nothing_is_to_be_done_or_said(text: str) -> None:
    result = run(text)

    assert (result.after, result.declined) == (text, ())


@pytest.mark.parametrize(
    ("script", "cleaned"),
    [
        ("make -C /src", True),
        ("apt-get update\napt-get install -y git", True),
        ("apt-get install -y git", False),
        ("if true; then apt-get update; fi\napt-get install -y git", False),
        ("./other.sh", False),
        ("case x in (", True),
        ("case x in ( apt-get", False),
    ],
)
def test_a_script_of_the_context_is_read(script: str, *, cleaned: bool) -> None:
    text = debian(INSTALL, "COPY scripts /opt/scripts/", "RUN /opt/scripts/setup.sh")

    result = run(text, {"scripts/setup.sh": f"#!/bin/sh\n{script}\n"})

    assert (result.after != text) == cleaned


@pytest.mark.parametrize(
    ("lines", "files", "cleaned"),
    [
        (("COPY . /app", "RUN cd /app && sh ci/x.sh"), {"ci/x.sh": "apt-get install git"}, False),
        (("COPY . /app", "WORKDIR /app", "RUN make"), {"Makefile": "deps:\n\tapt-get install git\n"}, False),
        (("COPY . /app", "WORKDIR /app", "RUN make"), {"Makefile": "all:\n\tcc x.c\n"}, True),
        (("COPY tool /usr/local/bin/", "RUN tool"), {"tool": "#!/bin/sh\napt-get install git"}, False),
        (("COPY tool /usr/local/bin/", "RUN tool"), {"tool": "#!/bin/sh\ntrue"}, True),
        (("COPY run.sh /run.sh", 'ENTRYPOINT ["/run.sh"]'), {"run.sh": "#!/bin/sh\napt-get install git"}, False),
        (("COPY run.sh /run.sh", 'CMD ["sh", "/run.sh"]'), {"run.sh": "#!/bin/sh\nexec serve"}, True),
        (("COPY a.py /app/", "RUN python /app/a.py"), {"a.py": "os.system('apt-get install git')"}, False),
        (("COPY a.py /app/", "RUN python /app/a.py"), {"a.py": "print()"}, True),
        (("COPY lib.sh /lib.sh", "RUN . /lib.sh"), {"lib.sh": "apt-get install git"}, False),
        (("COPY lib.sh /lib.sh", "RUN . /lib.sh && setup"), {"lib.sh": "setup() { make; }"}, True),
        (("COPY env /app/", "WORKDIR /app", "RUN . ./env"), {"env": "apt-get install git"}, False),
        (("RUN . /etc/os-release",), {}, True),
        (("COPY a /usr/bin/", "RUN a"), {"a": "#!/bin/sh\nb\n", "b": ""}, True),
        (("COPY bin /usr/bin/", "RUN a"), {"bin/a": "#!/bin/sh\nb\n", "bin/b": "#!/bin/sh\napt install x\n"}, False),
        (("COPY a /usr/bin/", "RUN a"), {"a": "#!/bin/sh\na\n"}, False),
        (("COPY x /x/", 'CMD ["sh", "-c", "/x/run && serve"]'), {"x/run": "#!/bin/sh\napt install x"}, False),
        (("COPY x /x/", "CMD cd /x && ./run"), {"x/run": "#!/bin/sh\napt install x"}, False),
        (("COPY x /x/", "WORKDIR /x", "CMD . ./run"), {"x/run": "#!/bin/sh\napt install x"}, False),
    ],
)
def test_programs_of_the_context_are_read(lines: tuple[str, ...], files: dict[str, str], *, cleaned: bool) -> None:
    text = debian(INSTALL, *lines)

    assert (run(text, files).after != text) == cleaned


def test_the_gain_is_told() -> None:
    (applied,) = run(debian(INSTALL)).applied

    assert applied.rewrite.gain.bytes > 0
