# Inkling as a service, in the light installation: no torch; encoders are the embedded ones and folders of ONNX files.
#   docker build --tag inkling .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --volume inkling:/data --publish 127.0.0.1:8000:8000 inkling
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src ./src
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && python -m venv /opt/inkling \
    && /opt/inkling/bin/pip install --no-cache-dir --constraint constraints.txt "$(echo /wheels/*.whl)[mcp,postgres,serve]"

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /data inkling \
    && install --directory --owner inkling --group inkling /data
COPY --from=build /opt/inkling /opt/inkling
ENV PATH=/opt/inkling/bin:$PATH \
    HOME=/tmp \
    INKLING_CACHE=/tmp/inkling \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=3)"]
ENTRYPOINT ["inkling"]
CMD ["serve", "/data/memory.ink", "--new", "pocket", "--host", "0.0.0.0", "--port", "8000", "--log-format", "json"]
