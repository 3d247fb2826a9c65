# syntax=docker/dockerfile:1

# The image of every role: gateway, subgraphs, worker and migrations are one binary.
# Base images are fixed by tag. A mirror that offers digests should replace the FROM lines by digests.

FROM node:22-bookworm-slim AS node

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
# The toolchain is the image's; without this, rustup would fetch what rust-toolchain.toml names once more.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_INCREMENTAL=0
# GraphiQL comes from npm while the gateway is built.
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --profile dist --locked --package pulse && cp target/dist/pulse /usr/local/bin/pulse

FROM debian:12.12-slim
LABEL org.opencontainers.image.title="Pulse" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /usr/local/bin/pulse /usr/local/bin/pulse
# Where a volume for files is mounted: a new one gets the owner from here.
RUN install --directory --owner=10001 --group=10001 /var/lib/pulse/files
# A number, so that an orchestrator can see that it is not root. No shell profile, no home, nothing to write to:
# the root file system may be mounted read-only.
USER 10001:10001
EXPOSE 4000 4001
ENTRYPOINT ["/usr/local/bin/pulse"]
CMD ["serve", "gateway", "--listen", "0.0.0.0:4000"]
# Of the default role; the compose file says what it is for each of the others, Kubernetes uses its own probes.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/pulse", "health", "--url", "http://127.0.0.1:4000/health/ready"]
