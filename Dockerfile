# docker build -t dalel .      then see compose.yaml, or: docker run --rm dalel check facebook
# No capability is needed, the user is not root, and the root file system may be read-only. linux/amd64 and linux/arm64.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/dalel && /opt/dalel/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY probe probe
COPY targets targets
COPY storage storage
# Compiled here, because nothing can be written where it runs.
RUN /opt/dalel/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/dalel/bin/python -m compileall -q -j 0 /opt/dalel/lib

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="Dalel" \
      org.opencontainers.image.description="Is it blocked, is it down, or is it my own network?" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/dalel /opt/dalel
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data dalel \
 && install -d -o 10001 -g 10001 -m 0700 /data
ENV PATH=/opt/dalel/bin:$PATH DALEL_DATA_DIR=/data PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /data
WORKDIR /data
# What is being measured is finished and kept before it goes.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5m --timeout=20s --start-period=5m --retries=2 CMD ["dalel", "status", "--health"]
ENTRYPOINT ["dalel"]
CMD ["run"]
