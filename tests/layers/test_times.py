"""The rule of thumb for how long steps take."""

import pytest

from optimizer.layers import times
from optimizer.model import read
from optimizer.syntax import parse

FETCH, BUILD = times.INSTALL_PROJECT, times.BUILD


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("RUN apt-get update && apt-get install -y curl", [times.INSTALL_SYSTEM]),
        ("RUN apt-get update", [times.COMMAND]),
        ("RUN pip install -r requirements.txt", [FETCH]),
        ("RUN yarn", [FETCH]),
        ("RUN npm ci && npm run build", [FETCH + BUILD]),
        ("RUN npm test", [times.COMMAND]),
        ("RUN curl -O https://example.org/a.tar.gz && tar xf a.tar.gz", [times.DOWNLOAD]),
        ("COPY . .", [times.COPY]),
        ("ADD https://example.org/a.txt /", [times.DOWNLOAD]),
        ("WORKDIR /app", [times.FOLDER]),
        ("ENV A=1", [0.0]),
        ("RUN go env -w GOPROXY=direct", [times.COMMAND]),
        ("RUN go build .", [FETCH + BUILD]),
        ("RUN go mod download\nRUN go build .", [FETCH, BUILD]),
        ("RUN ./mvnw package\nRUN ./mvnw package -o", [FETCH + BUILD, BUILD]),
        ("RUN cargo build --release\nCOPY . .\nRUN cargo build --release", [FETCH + BUILD, times.COPY, BUILD]),
        ("RUN composer install --no-scripts\nCOPY . .\nRUN composer install", [FETCH, times.COPY, times.INSTALL_AGAIN]),
        ("RUN pip install a\nRUN pip install b\nRUN pip install .", [FETCH, FETCH, times.INSTALL_AGAIN]),
        ("RUN pip install .", [FETCH]),
        ("RUN if true; then", [times.UNKNOWN]),
    ],
)
def test_a_step_takes_what_its_kind_of_work_takes(body: str, expected: list[float]) -> None:
    assert spent(f"FROM alpine\n{body}\n")[1:] == expected


def test_what_a_stage_fetched_its_heirs_have() -> None:
    text = "FROM golang AS deps\nRUN go mod download\nFROM deps\nRUN go build .\nFROM golang\nRUN go build .\n"

    assert spent(text) == [0.0, FETCH, 0.0, BUILD, 0.0, FETCH + BUILD]


def spent(text: str) -> list[float]:
    return list(times.seconds(read(parse(text))).values())
