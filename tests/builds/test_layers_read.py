"""The files that the layers of an image make are those that its container has."""

from pathlib import Path

from optimizer.verify.builder import BuildRequest
from optimizer.verify.builders.docker import Docker
from optimizer.verify.comparison import Store, survey

DOCKERFILE = """\
FROM debian:bookworm-slim
RUN mkdir -p /app/lib /srv/data /opt/tool && touch /app/lib/a /app/lib/b /srv/data/c && echo 1 > /opt/tool/run
RUN rm /app/lib/a && ln /app/lib/b /app/lib/again && chmod 700 /opt/tool
RUN rm -r /srv/data && mkdir /srv/data && touch /srv/data/d && mv /opt/tool /opt/moved
RUN rm -r /app/lib && ln -s /srv/data /app/lib && rm -r /usr/share/zoneinfo && mkfifo /app/pipe
COPY --link --chmod=755 here /new/place/here
COPY --chown=1000:50 here /opt/moved/
"""
# What an engine puts into each container.
OWN = {"/.dockerenv", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf"}
OWN |= {"/dev/console", "/dev/pts", "/dev/shm"}


def test_layers_make_what_a_container_has(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("#!/bin/sh\n")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    built = docker.build(BuildRequest(tmp_path, tmp_path / "Dockerfile"), lambda _: None)
    store = Store()

    class Flat:
        config, files = docker.config, docker.files

    try:
        (layered,) = survey(docker, (built.image,), store)
        assert store.has(docker.layers(built.image))
        (flat,) = survey(Flat(), (built.image,), store)  # type: ignore[arg-type]
    finally:
        docker.remove(built.image)

    differ = {p for p in layered.entries | flat.entries if layered.entries.get(p) != flat.entries.get(p)}
    assert differ <= OWN
    assert layered.texts == flat.texts
    assert {"/app/lib", "/app/pipe", "/srv/data/d", "/opt/moved/run", "/new/place/here"} <= layered.entries.keys()
    assert not {"/app/lib/b", "/srv/data/c", "/opt/tool", "/usr/share/zoneinfo"} & layered.entries.keys()
