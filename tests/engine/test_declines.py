"""What is said of places that are left alone."""

from optimizer.context import Context
from optimizer.engine import Plan, optimize

TEXT = """\
FROM node:22
RUN apt-get update
RUN apt-get install -y curl
WORKDIR /app
COPY . .
RUN node prepare.js
RUN npm ci
"""


def test_lines_are_those_of_the_file_as_found() -> None:
    context = Context.of({"package.json": "{}", "package-lock.json": "{}", ".dockerignore": "node_modules\n"})

    result = optimize(TEXT, context, Plan(select=frozenset({"join-apt-update", "split-manifest-copy"})))

    assert "RUN apt-get update && apt-get install" in result.after
    assert [(d.line, d.reason) for d in result.declined] == [(7, "line 6 stands between: what node reads is not known")]
