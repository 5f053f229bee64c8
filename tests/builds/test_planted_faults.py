"""Pairs of Dockerfiles of which the second has lost files or configuration: each fault is named."""

from collections.abc import Callable

import pytest

from optimizer.report.evidence import Check, Difference
from optimizer.verify.comparison import Claims
from tests.builds.pairs import Pair, fault

pytestmark = pytest.mark.xdist_group("planted faults")  # pairs share images

CAPABILITY = "0100000200040000000000000000000000000000"  # cap_net_bind_service=ep
SET_CAPABILITY = f"import os; os.setxattr('/app/server', 'security.capability', bytes.fromhex('{CAPABILITY}'))"


FAULTS = (
    fault(
        "a variable is lost",
        "FROM scratch\nCOPY here /\nENV MODE=production PORT=80",
        "FROM scratch\nCOPY here /\nENV PORT=80",
        "Env MODE",
        check=Check.CONFIG,
    ),
    fault(
        "the user is another",
        "FROM scratch\nCOPY here /\nUSER 1000",
        "FROM scratch\nCOPY --from=debian:bookworm-slim /etc/passwd /",
        "User",
        check=Check.CONFIG,
    ),
    fault(
        "a file is not copied",
        "FROM debian:bookworm-slim\nCOPY src /app",
        "FROM debian:bookworm-slim\nCOPY src/main.py /app/",
        "/app/settings.ini",
        files={"src/main.py": "", "src/settings.ini": "a = 1"},
    ),
    fault(
        "a file in a folder where others come and go",
        "FROM debian:bookworm-slim\nRUN echo 1 > /tmp/app && mkdir -p /var/log/app && echo 2 > /var/log/app/state",
        "FROM debian:bookworm-slim\nRUN true",
        "/tmp/app",
        "/var/log/app",
    ),
    fault(
        "a permission is another",
        'FROM debian:bookworm-slim\nCOPY --chmod=755 run.sh /app/\nCMD ["/app/run.sh"]',
        'FROM debian:bookworm-slim\nCOPY --chmod=644 run.sh /app/\nCMD ["/app/run.sh"]',
        "/app/run.sh",
        "command /app/run.sh of the start command",
        files={"run.sh": "#!/bin/sh\n"},
    ),
    fault(
        "the owner is another",
        "FROM debian:bookworm-slim\nCOPY --chown=1000:1000 run.sh /app/",
        "FROM debian:bookworm-slim\nCOPY run.sh /app/",
        "/app/run.sh",
        files={"run.sh": "#!/bin/sh\n"},
    ),
    fault(
        "a label is lost",
        'FROM scratch\nCOPY here /\nLABEL org.example.source="https://example.com" team=a',
        "FROM scratch\nCOPY here /\nLABEL team=a",
        "Labels org.example.source",
        check=Check.CONFIG,
    ),
    fault(
        "a link leads nowhere",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a && touch /opt/a/run && ln -s /opt/a/run /usr/local/bin/run",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a && ln -s /opt/a/run /usr/local/bin/run",
        "link /usr/local/bin/run",
    ),
    fault(
        "a capability is lost",
        f'FROM python:3.11-slim\nCOPY run.sh /app/server\nRUN python -c "{SET_CAPABILITY}"',
        "FROM python:3.11-slim\nCOPY run.sh /app/server",
        "/app/server",
        files={"run.sh": ""},
    ),
    fault(
        "the directory is another",
        "FROM scratch\nCOPY here /\nWORKDIR /app\nWORKDIR data",
        "FROM scratch\nCOPY here /\nWORKDIR /app/data\nWORKDIR /app",
        "WorkingDir",
        check=Check.CONFIG,
    ),
    fault(
        "a volume is lost",
        "FROM scratch\nCOPY here /\nVOLUME /data",
        "FROM scratch\nCOPY --from=debian:bookworm-slim /etc/passwd /",
        "Volumes /data",
        check=Check.CONFIG,
    ),
    fault(
        "a port is lost",
        "FROM scratch\nCOPY here /\nEXPOSE 80 53/udp",
        "FROM scratch\nCOPY here /\nEXPOSE 80/tcp",
        "ExposedPorts 53/udp",
        check=Check.CONFIG,
    ),
    fault(
        "the signal to stop is another",
        "FROM scratch\nCOPY here /\nSTOPSIGNAL SIGQUIT",
        "FROM scratch\nCOPY here /\nSTOPSIGNAL SIGTERM",
        "StopSignal",
        check=Check.CONFIG,
    ),
    fault(
        "the time zones are missing",
        "FROM debian:bookworm-slim\nENV TZ=Europe/Paris",
        "FROM debian:bookworm-slim\nENV TZ=Europe/Paris\nRUN rm -r /usr/share/zoneinfo",
        "/usr/share/zoneinfo",
    ),
    fault(
        "an empty folder is lost",
        "FROM debian:bookworm-slim\nRUN mkdir -p /srv/uploads",
        "FROM debian:bookworm-slim\nRUN mkdir -p /srv",
        "/srv/uploads",
    ),
    fault(
        "more is removed than was said",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a && echo 1 > /opt/a/a.tgz && echo 2 > /opt/a/b.tgz",
        "FROM debian:bookworm-slim\nRUN mkdir /opt/a",
        "/opt/a/b.tgz",
        claims=Claims(patterns=(("remove-downloads", "/opt/a/a.tgz"),)),
    ),
    fault(
        "what a cleaned folder holds is not all a cache",
        "FROM debian:bookworm-slim\nRUN mkdir -p /root/.cache/pip /root/.cache/models && touch /root/.cache/models/a",
        "FROM debian:bookworm-slim\nRUN true",
        "/root/.cache/models",
        claims=Claims(patterns=(("clean-package-caches", "/root/.cache/pip"),), caches=("/root/.cache/pip",)),
    ),
)


@pytest.mark.parametrize("pair", FAULTS, ids=lambda pair: pair.name)
def test_a_planted_fault_is_named(pair: Pair, compared: Callable[[Pair], tuple[Difference, ...]]) -> None:
    told = [(one.check, one.subject) for one in compared(pair) if one.claimed_by is None]

    assert set(pair.told) <= set(told)
    assert len(told) <= 100, "a report must stay readable"
