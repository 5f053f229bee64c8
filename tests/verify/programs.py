"""Programs that stand in for the builders: scripts that note down what they are asked."""

import stat
from pathlib import Path

DOCKER = """\
case "$*" in
  "version "*) echo '{"Client":{},"Server":{"Version":"28.5.2+dfsg4"}}' ;;
  "buildx version") BUILDX ;;
  "buildx inspect "*) [ "$3" = far ] || { echo "ERROR: no builder \\"$3\\" found" >&2; exit 1; } ;;
  "image ls "*) echo sha256:unnamed ;;
  "build "*) for word; do case "$word" in --iidfile=*) printf sha256:made > "${word#*=}" ;; esac; done
    BUILD ;;
  "image inspect "*) echo '[{"Id":"sha256:made","Config":{"Cmd":["true"]}}]' ;;
  "history "*) echo '{"CreatedBy":"CMD [\\"true\\"]","Size":"0"}'
    echo '{"CreatedBy":"RUN make # buildkit","Size":"12"}' ;;
  "run "*) RUN ;;
  "container inspect "*) echo false 3 ;;
  "logs "*) echo out; echo err >&2 ;;
  "port "*) echo 127.0.0.1:32768 ;;
esac
"""
PODMAN = """\
case "$*" in
  version) printf 'Client:       Podman Engine\\nVersion:      4.3.1\\n' ;;
  "build "*) for word; do case "$word" in --iidfile=*) printf sha256:made > "${word#*=}" ;; esac; done
    echo 'STEP 1/2: FROM a'; echo 'STEP 2/2: RUN make'; echo '--> Using cache 123' ;;
  "image inspect "*) echo '[{"Id":"made","Config":{"Cmd":["true"]},"Healthcheck":{"Test":["CMD","true"]}}]' ;;
  "history "*) echo '[{"CreatedBy":"/bin/sh -c #(nop) CMD true","size":0},{"CreatedBy":"/bin/sh -c make","size":12}]' ;;
esac
"""
BUILDAH = """\
case "$*" in
  --version) echo 'buildah version 1.28.2 (image-spec 1.1.0-rc2, runtime-spec 1.0.2-dev)' ;;
  "build "*) for word; do case "$word" in --iidfile=*) printf sha256:made > "${word#*=}" ;; esac; done
    echo 'STEP 1/2: FROM a'; echo 'STEP 2/2: RUN make' ;;
  "inspect "*) echo '{"Docker":{"config":{"Entrypoint":["app"],"Cmd":["serve"]},"history":[]}}' ;;
  "run "*) echo "$*"; echo 'Error: while running runtime: exit status 3' >&2; exit 3 ;;
esac
"""
BUILT = """echo '{"vertexes":[{"digest":"a","name":"[2/2] RUN make","started":"2026-11-20T14:14:24Z",\
"completed":"2026-11-20T14:14:25Z"}]}' >&2"""


class Programs:
    """A folder of programs that stand in for the real ones, alone on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._notes = folder / "asked"

    def install(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._notes}\n{script}')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def docker(self, build: str = BUILT, run: str = "echo id", buildx: str = "echo buildx v0.29.1+ds1") -> None:
        self.install(
            "docker", DOCKER.replace("BUILDX", buildx).replace("BUILD ;;", f"{build} ;;").replace("RUN ;;", f"{run} ;;")
        )

    @property
    def asked(self) -> list[str]:
        return self._notes.read_text().splitlines()

    def of(self, beginning: str) -> str:
        """Return the one request that begins so."""
        (found,) = (line for line in self.asked if line.startswith(beginning))
        return found
