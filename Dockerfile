# The program alone: its wheel and its locked dependencies, on Python's slim image.
#
#   docker build -t live-orders:dev .
#   docker run --rm --read-only -e LIVE_ORDERS_BOOTSTRAP_SERVERS=kafka:9092 live-orders:dev
#
# Any other command follows the image's name: live-orders:dev topics check. The embedded broker is
# left out: who runs this has a Kafka.

FROM python:3.12-slim AS build
# For builds behind a mirror: --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL
ENV LIVE_ORDERS_BUILD_BROKER=0 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv --without-pip /venv \
 && pip install --require-hashes --requirement requirements/build.txt \
 && pip --python /venv install --require-hashes --requirement requirements/run.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY broker/NOTICE broker/
COPY processor processor
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /venv install --no-deps --no-index dist/*.whl

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /venv /venv
# A number, so that an orchestrator sees that it is not root.
USER 10001:10001
# A process that cannot go on ends by itself; this sees whether Kafka can be reached from here, and
# whether the topics are as they must be.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s --retries=3 \
    CMD ["live-orders", "topics", "check"]
ENTRYPOINT ["live-orders"]
CMD ["run"]
