# The folder that eng/image.sh makes, on a base with glibc and libstdc++:
#   eng/image.sh && docker build -t atrous .
#   docker run --read-only -p 8080:8080 atrous                                               the server
#   docker run --read-only -v "$PWD/photos:/data" atrous segment /data -o /data/masks        a batch job
# tests/packages/image.sh does the same in a plain folder.
ARG BASE=debian:12-slim
FROM ${BASE}
COPY artifacts/image /app
# No pipe for debuggers: the file system is read-only.
ENV DOTNET_EnableDiagnostics=0 PATH=/app:${PATH}
USER 10001:10001
WORKDIR /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/app/ready"]
ENTRYPOINT ["/app/atrous"]
CMD ["serve", "--host", "*", "--port", "8080"]
