ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# No package's scripts run: the bundler works without its own, and Node is the image's. Where packages come from a registry of
# your own: `--secret id=npmrc,src=FILE`.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
RUN node scripts/build.ts && rm dist/*.map dist/chunks/*.map

FROM ${NODE_IMAGE} AS system
ARG DEBIAN_FRONTEND=noninteractive
# nft and ip make the interception; sh, find and test are what exec probes run.
RUN apt-get update \
 && apt-get install -y --no-install-recommends nftables iproute2
# Programs that install others, become another user or mount have no place beside one that handles tokens. The list of
# packages stays, for scanners. Perl goes last: other packages' removal needs it.
RUN purge='dpkg --purge --force-depends --force-remove-essential --force-remove-protected' \
 && $purge adduser apt bsdutils debian-archive-keyring e2fsprogs gpgv libapt-pkg6.0 libgnutls30 libpam-modules libpam-modules-bin \
      libpam-runtime libpam0g login mount passwd tzdata util-linux util-linux-extra \
 && $purge debconf init-system-helpers perl-base \
 && rm -rf /usr/bin/dpkg* /usr/sbin/dpkg* /etc/apt /etc/dpkg /var/lib/apt /var/lib/dpkg/*-old /var/cache/* /var/log/* /tmp/* /root/.npm \
      /usr/lib/*/gconv /usr/share/man /usr/share/locale /usr/share/doc/*/changelog* \
      /usr/local/include /usr/local/share /usr/local/lib/node_modules /usr/local/*.md /opt/yarn* \
      /usr/local/bin/np[mx] /usr/local/bin/corepack /usr/local/bin/yarn* /usr/local/bin/docker-entrypoint.sh
COPY LICENSE /opt/metadatad/
COPY --from=build /src/dist /opt/metadatad
COPY --from=build /src/scripts/image/metadatad /usr/local/bin/

# One layer of what is left: nothing that was deleted is in a layer below.
FROM scratch
LABEL org.opencontainers.image.title="metadatad" \
      org.opencontainers.image.description="One daemon per Kubernetes node that gives every pod its own cloud identity" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=system / /
# Two heaps of malloc are enough for a daemon with one busy thread: each more keeps what it once had.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_ENV=production MALLOC_ARENA_MAX=2
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
# A small young generation costs no throughput here and keeps up to 15 MiB from becoming resident. The only WebAssembly is the
# HTTP parser of calls to the clouds: compiling it a second time, better, takes 12 MiB and gains nothing.
ENTRYPOINT ["node", "--max-semi-space-size=2", "--liftoff-only", "/opt/metadatad/metadatad.mjs"]
CMD ["--help"]
