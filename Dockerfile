# Runs one check: docker run --rm dalel check facebook
# No capability is needed, the user is not root, and the root file system may be read-only.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY requirements-image.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/dalel && /opt/dalel/bin/pip install --no-cache-dir --require-hashes -r requirements-image.lock
COPY probe probe
COPY targets targets
COPY storage storage
RUN /opt/dalel/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="Dalel" \
      org.opencontainers.image.description="Is it blocked, is it down, or is it my own network?" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/dalel /opt/dalel
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data dalel && mkdir /data && chown dalel:dalel /data
ENV PATH=/opt/dalel/bin:$PATH DALEL_DATA_DIR=/data PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /data
WORKDIR /data
ENTRYPOINT ["dalel"]
CMD ["check"]
