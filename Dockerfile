# The image of dfopt: `docker run --rm -v "$PWD:/work" dfopt diff`.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY optimizer/ optimizer/
COPY templates/ templates/
RUN python -m venv /opt/dfopt && /opt/dfopt/bin/pip install --no-cache-dir '.[bot]'

FROM python:3.12-slim
# git finds the Dockerfiles of a repository, and carries the branches of `dfopt pr`. What is mounted belongs to
# somebody else, which git would not read otherwise.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*'
COPY --from=build /opt/dfopt/ /opt/dfopt/
ENV PATH=/opt/dfopt/bin:$PATH
WORKDIR /work
ENTRYPOINT ["dfopt"]
CMD ["--help"]
