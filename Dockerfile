# The folder that eng/image.sh makes, on a base with glibc, libstdc++ and bash:
#   eng/image.sh && docker build -t atrous .
#   docker run --read-only -p 8080:8080 atrous                                               the server
#   docker run --read-only -v "$PWD/photos:/data" atrous segment /data -o /data/masks        a batch job
# tests/packages/image.sh does the same in a plain folder, and in one with Debian in it.
ARG BASE=debian:12-slim
FROM ${BASE}
# .NET leaves TLS and SHA-256 to OpenSSL, which Debian's slim image lacks; its certificates bring it along. A base without
# apt-get is taken as it is.
RUN if command -v apt-get >/dev/null; then apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates openssl && rm -rf /var/lib/apt/lists/*; fi
COPY artifacts/image /app
# No pipe for debuggers: the file system is read-only.
ENV DOTNET_EnableDiagnostics=0 PATH=/app:${PATH}
USER 10001:10001
WORKDIR /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/app/ready"]
ENTRYPOINT ["/app/atrous"]
CMD ["serve", "--host", "*", "--port", "8080"]
