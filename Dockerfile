# Two stages: the first installs what requirements.txt pins, by hash; the second is what runs.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv --without-pip /opt/funnel \
 && python -m pip --python /opt/funnel/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && groupadd --gid 10001 funnel \
 && useradd --uid 10001 --gid funnel --home-dir /app --no-create-home --shell /usr/sbin/nologin funnel \
 && install -d -m 0700 -o funnel -g funnel /data
COPY --from=build /opt/funnel /opt/funnel
WORKDIR /app
COPY wsgi.py gunicorn.conf.py ARCHITECTURE.md ./
COPY assets/christmas-surge-playbook.pdf assets/
COPY docs/operations.md docs/
COPY migrations migrations
COPY jobs jobs
COPY funnel_app funnel_app
RUN python -m compileall -q .
ENV PATH=/opt/funnel/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ROLE=all \
    PORT=8000 \
    DATABASE_URL=sqlite:////data/funnel.db \
    BACKUP_DIR=/data/backups
# Run it with a volume at /data. The root may be read-only: only /data and /tmp are written to.
EXPOSE 8000
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=20s --start-period=60s --retries=3 CMD ["python", "-m", "jobs.health"]
# tini is PID 1: it passes signals on, and buries the orphans.
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "jobs.start"]
