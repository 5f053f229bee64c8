"""Whatever the file: the gate never has to stop a result, a second run finds nothing, BuildKit still reads it."""

import dockerfile as buildkit
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.context import Context
from optimizer.engine import Plan, optimize
from optimizer.transforms import Level

FILES = {
    "package.json": '{"dependencies": {"ms": "2.1.3"}, "scripts": {"build": "tsc"}}',
    "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"ms": "2.1.3"}}}}',
    "requirements.txt": "flask\n-r reqs/dev.txt\n",
    "reqs/dev.txt": "pytest\n",
    "src/app.py": "",
    "src/index.js": "",
    "run.sh": "#!/bin/sh\napt-get install -y jq\n",
    "old.tar.gz": "no archive",
}
BASES = st.sampled_from(
    ["FROM node:20", "FROM python:3.12-slim AS build", "from debian:bookworm", "FROM build", "FROM x/y"]
)
STEPS = st.sampled_from([
    "COPY . .", "COPY . /app", "COPY src /srv/", "COPY package*.json ./", "ADD src/app.py /x/", "ADD . .",
    'COPY ["src", "/data dir/"]', "COPY --chown=node . /app", "COPY --from=build /a /a", "ADD old.tar.gz /",
    "WORKDIR /app", "WORKDIR sub", "USER node", "USER root", "ENV A=1 B=$A", "ARG GIT_SHA", "ENV SHA=$GIT_SHA",
    "LABEL sha=$GIT_SHA", "EXPOSE 80", "VOLUME /data", 'SHELL ["/bin/bash", "-c"]', "ONBUILD RUN apt-get install x",
    "RUN npm install", "RUN npm ci && npm run build", "RUN cd /app && npm ci; true",
    "RUN pip install -r requirements.txt", "RUN pip install -r /app/requirements.txt || true", "RUN pip install .",
    "RUN --mount=type=cache,target=/c pip install x", "RUN apt-get update", "RUN apt-get install curl",
    "RUN apt-get update && apt-get install -y git \\\n  # why\n  jq",
    "RUN set -ex; apt-get update; apt-get install -y jq", "RUN apk add curl", "RUN yum install -y x",
    "RUN ./run.sh", "RUN mkdir -p /x", "RUN chown -R node /app", "RUN curl -O https://e.org/a.tgz && tar xf a.tgz",
    "RUN rm a.tgz", "RUN export A=1", "RUN umask 027 && mkdir /y", "RUN make & wait",
    "RUN <<EOF\napt-get update\nEOF", 'RUN ["npm", "ci"]', "# a note", "", "# dfopt: off", "# dfopt: on",
    "# hadolint ignore=DL3009", 'CMD ["node", "src/index.js"]', "CMD run it",
])  # fmt: skip


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    stages = draw(st.lists(st.tuples(BASES, st.lists(STEPS, max_size=9)), min_size=1, max_size=3))
    lines = [line for base, steps in stages for line in (base, *steps)]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = "\n".join(lines) + draw(st.sampled_from(["\n", ""]))
    return text.replace("\n", newline)


@given(dockerfiles(), st.sampled_from(Level), st.booleans())
@settings(max_examples=200, deadline=None)
def test_what_is_promised_of_every_file(text: str, level: Level, with_files: bool) -> None:  # noqa: FBT001 - drawn
    context = Context.of(FILES if with_files else {})
    plan = Plan(level=level)

    result = optimize(text, context, plan)
    for artifact in result.artifacts:
        context = context.overlay(artifact.path, artifact.content)
    again = optimize(result.after, context, plan)

    assert (again.after, again.artifacts) == (result.after, ())
    if _accepts(text):
        assert _accepts(result.after), result.after


def _accepts(text: str) -> bool:
    try:
        buildkit.parse_string(text)
    except buildkit.GoParseError:
        return False
    return True
