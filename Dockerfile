# The collector as a sidecar:
#   docker run -v ./config.yaml:/etc/chainwatch/config.yaml:ro -v chainwatch:/var/lib/chainwatch -p 9273:9273 chainwatch
# The configuration listens on 0.0.0.0:9273 then: the container's own loopback can't be reached from outside.
# Secrets come from the environment or from mounted files that the configuration names; none is in the image.
# In a cluster of compose/, the one-shot services and the load of transfers run from it, too: `python -m compose.…`.
# There is no HEALTHCHECK: what the collector listens on, if on anything, is the configuration's to say.

FROM python:3.13.5-slim-bookworm AS build
WORKDIR /source
RUN python -m venv /opt/chainwatch
COPY pyproject.toml README.md LICENSE ./
COPY chainwatch chainwatch
COPY collector collector
COPY exporters exporters
COPY dashboards dashboards
COPY alerts alerts
COPY compose compose
RUN /opt/chainwatch/bin/python -m pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13.5-slim-bookworm
# A fixed number, so that volumes and secrets can be given to it. The configuration's own default, `state` beside the
# file, leads to the volume.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin chainwatch \
    && install --directory --owner chainwatch --group chainwatch /var/lib/chainwatch \
    && install --directory /etc/chainwatch \
    && ln --symbolic /var/lib/chainwatch /etc/chainwatch/state
COPY --from=build /opt/chainwatch /opt/chainwatch
ENV PATH=/opt/chainwatch/bin:$PATH PYTHONUNBUFFERED=1
USER chainwatch
VOLUME /var/lib/chainwatch
EXPOSE 9273 9280
ENTRYPOINT ["chainwatch"]
CMD ["run", "--config", "/etc/chainwatch/config.yaml"]
