# One image for every part: the command after `gradeline` says which part a container is.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/gradeline
WORKDIR /source
# The packages change seldom and our code often: two layers, so that a change of code installs no packages.
# requirements.lock leaves out the servers that `gradeline up` would start; a container has its own.
COPY requirements.lock ./
RUN /opt/gradeline/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY pipeline pipeline
COPY api api
COPY workers workers
COPY cli cli
COPY prompts prompts
COPY migrations migrations
RUN /opt/gradeline/bin/pip install --no-deps --no-build-isolation . \
    && /opt/gradeline/bin/python -m compileall -q /opt/gradeline

FROM python:3.12-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gradeline
COPY --from=build /opt/gradeline /opt/gradeline
ENV PATH=/opt/gradeline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GRADELINE_HOST=0.0.0.0 \
    GRADELINE_PORT=8000
# An empty directory: `python -m` looks for modules where it stands first.
WORKDIR /srv/gradeline
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Says whether an API process answers. Other parts are watched elsewhere: compose.yaml switches this off for them.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["gradeline"]
CMD ["api"]
