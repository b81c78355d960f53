# syntax=docker/dockerfile:1
FROM python:3.13-slim-trixie AS build
WORKDIR /build
RUN python -m venv /opt/proofless
COPY requirements.run.lock ./
RUN /opt/proofless/bin/pip install --no-cache-dir --require-hashes --requirement requirements.run.lock
COPY pyproject.toml README.md LICENSE ./
COPY hub hub
COPY schema schema
COPY connectors connectors
COPY migrations migrations
RUN /opt/proofless/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim-trixie
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin hub \
    && install -d -m 0700 -o hub -g hub /data
COPY --from=build /opt/proofless /opt/proofless
ENV PATH=/opt/proofless/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HUB_HOST=0.0.0.0 HUB_DATA=/data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8300
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('HUB_PORT', '8300') + '/healthz', timeout=2)"]
ENTRYPOINT ["hub"]
CMD ["serve"]
