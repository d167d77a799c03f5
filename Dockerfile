# A static binary in an image with nothing else: no shell, no package manager, not root. It runs with a read-only root.
FROM golang:1.26 AS build
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make build VERSION=${VERSION} && mkdir -p /out/var/lib/haldane && cp haldane /out/haldane

FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title="Haldane" \
      org.opencontainers.image.description="A reverse proxy that releases software" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/haldane /usr/bin/haldane
# State, admin socket and token; mount a volume here to keep rollouts over a restart of the container.
COPY --from=build --chown=65532:65532 /out/var/lib/haldane /var/lib/haldane
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/bin/haldane"]
CMD ["run", "--config", "/etc/haldane/haldane.yaml"]
