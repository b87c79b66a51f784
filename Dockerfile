FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/pooldeck && /opt/pooldeck/bin/pip install --no-cache-dir '.[server]'

FROM python:3.12-slim
COPY --from=build /opt/pooldeck /opt/pooldeck
RUN useradd --system --uid 10001 --no-create-home pooldeck \
    && install --directory --owner pooldeck /data /functions

# User modules are mounted at /functions, where the workers look for them; the server does not.
WORKDIR /functions
USER pooldeck
ENV PATH=/opt/pooldeck/bin:$PATH POOLDECK_HOST=0.0.0.0 POOLDECK_DATA=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["pooldeck"]
CMD ["serve"]
