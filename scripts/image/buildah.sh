#!/usr/bin/env bash
# buildah.sh ARG...: buildah with storage of the project's own, no registry, and RUN by chroot: it needs root, but neither
# an engine nor an OCI runtime nor cgroups.
set -euo pipefail
work=$(cd "$(dirname "$0")/../.." && pwd)/.cache/image
mkdir -p "$work/conf" "$work/tmp"
conf=$work/conf

# A short name is only ever what local storage has under docker.io's: nobody is asked for it.
printf 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "disabled"\n' >"$conf/registries.conf"
printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/graph"\nrunroot = "%s/run"\n' "$work" "$work" >"$conf/storage.conf"
# Inside a container buildah may not raise limits, which it does unless told that there are none.
printf '[containers]\ndefault_ulimits = []\n' >"$conf/containers.conf"
printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' >"$conf/policy.json"

export CONTAINERS_REGISTRIES_CONF=$conf/registries.conf CONTAINERS_STORAGE_CONF=$conf/storage.conf
export CONTAINERS_CONF=$conf/containers.conf BUILDAH_ISOLATION=chroot TMPDIR=$work/tmp
command=$1
shift
case $command in
  build | commit | from | push) set -- --signature-policy "$conf/policy.json" "$@" ;;
esac
exec buildah "$command" "$@"
