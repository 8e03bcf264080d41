ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# No package's scripts run: the bundler works without its own, and Node is the image's.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
RUN node scripts/build.ts && rm dist/*.map dist/chunks/*.map

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="metadatad" \
      org.opencontainers.image.description="One daemon per Kubernetes node that gives every pod its own cloud identity" \
      org.opencontainers.image.licenses="Apache-2.0"
# A program that can install others has no place beside one that handles tokens.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn*
COPY LICENSE /opt/metadatad/
COPY --from=build /src/dist /opt/metadatad
# Two heaps of malloc are enough for a daemon with one busy thread: each more keeps what it once had.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
# A small young generation costs no throughput here and keeps up to 15 MiB from becoming resident. The only WebAssembly is the
# HTTP parser of calls to the clouds: compiling it a second time, better, takes 12 MiB and gains nothing.
ENTRYPOINT ["node", "--max-semi-space-size=2", "--liftoff-only", "/opt/metadatad/metadatad.mjs"]
CMD ["--help"]
