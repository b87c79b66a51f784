# A tag can be moved: to build the same image again, name the digest that your registry says
# (`docker buildx imagetools inspect python:3.12-slim`) behind it, in both places: python:3.12-slim@sha256:...
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements requirements
RUN python -m venv /opt/pooldeck \
    && /opt/pooldeck/bin/pip install --no-cache-dir --require-hashes --requirement requirements/pip.txt \
    && /opt/pooldeck/bin/pip install --no-cache-dir --require-hashes --requirement requirements/server.txt
COPY . .
RUN /opt/pooldeck/bin/pip install --no-cache-dir --no-deps --build-constraint requirements/build.txt .

FROM python:3.12-slim
COPY --from=build /opt/pooldeck /opt/pooldeck
RUN groupadd --system --gid 10001 pooldeck \
    && useradd --system --uid 10001 --gid 10001 --no-create-home pooldeck \
    && install --directory --owner pooldeck /data /functions

# User modules are mounted at /functions, where the workers look for them; the server does not.
WORKDIR /functions
# By number, so that an orchestrator sees that it is not root.
USER 10001:10001
ENV PATH=/opt/pooldeck/bin:$PATH POOLDECK_HOST=0.0.0.0 POOLDECK_DATA=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["pooldeck"]
CMD ["serve"]
