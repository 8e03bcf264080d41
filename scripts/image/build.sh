#!/usr/bin/env bash
# build.sh: builds the Dockerfile as `docker build .` does, but with no engine and no registry, from a base made here
# (base.sh). Needs root, buildah, mmdebstrap and, for Node, a finished `npm ci`. Leaves in .cache/image:
#   metadatad.tar   the image, as an archive that docker, containerd and podman load: metadatad:VERSION
#   rootfs          its root file system
#   key             what it was built from (key.sh)
# Does nothing where all that is there already.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=scripts/image work=$PWD/.cache/image
mkdir -p "$work/outside"
say() { echo "image: $*"; }

key=$($here/key.sh)
if [ "$(cat "$work/key" 2>/dev/null)" = "$key" ] && [ -e "$work/rootfs/opt" ]; then
  say 'nothing has changed'
  exit
fi
rm -f "$work/key"

base=docker.io/library/node:24-slim node=node_modules/node/bin/node
base_key=$({ cat $here/base.sh; $node --version; $here/apt-sources.sh bookworm; } | sha256sum | cut -c-16)
if ! $here/buildah.sh inspect --type image "localhost/base:$base_key" >/dev/null 2>&1; then
  say "making $base"
  $here/buildah.sh rm --all >/dev/null
  $here/buildah.sh rmi --all --force >/dev/null
  $here/base.sh $base $node
  $here/buildah.sh tag $base "localhost/base:$base_key"
fi

# This machine's way to its packages: into the build, not into the image.
npmrc=$work/npmrc
trap 'rm -f "$npmrc"' EXIT
install -m 600 /dev/null "$npmrc"
setting() { npm config get "$1" 2>/dev/null; }
{
  for file in "$(setting globalconfig)" "$(setting userconfig)"; do
    [ ! -f "$file" ] || grep -E '^(//|@[^:]+:registry|(https-)?proxy|noproxy|strict-ssl|ca\b)' "$file" || true
  done
  echo "registry=$(setting registry)"
  cafile=$(setting cafile)
  [ -f "$cafile" ] || cafile=${NODE_EXTRA_CA_CERTS:-}
  if [ -f "$cafile" ]; then
    cp "$cafile" "$work/outside/ca.crt"
    echo 'cafile=/mnt/ca.crt'
  fi
} >"$npmrc"

version=$(node -p 'require("./package.json").version')
image=docker.io/library/metadatad:$version
say "building metadatad:$version"
$here/buildah.sh rm --all >/dev/null
if ! $here/buildah.sh build --pull=never --layers=false --secret "id=npmrc,src=$npmrc" \
  --volume "$work/outside:/mnt:ro" --tag "$image" . 2>&1 |
  tee "$work/build.log" | grep --line-buffered -o '^\[[^ ]*\] STEP .\{1,90\}'; then
  tail -n 60 "$work/build.log"
  exit 1
fi

say 'exporting'
rm -rf "$work/metadatad.tar" "$work/rootfs"
$here/buildah.sh push --quiet "$image" "docker-archive:$work/metadatad.tar:metadatad:$version"
ln -s "$($here/buildah.sh mount "$($here/buildah.sh from --pull-never "$image")")" "$work/rootfs"
$here/buildah.sh rmi --prune >/dev/null
echo "$key" >"$work/key"
say "$(du -sm "$work/rootfs/" | cut -f1) MiB, its archive $(du -m "$work/metadatad.tar" | cut -f1) MiB"
