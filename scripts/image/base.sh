#!/usr/bin/env bash
# base.sh NAME NODE: makes a stand-in for the registry's node:24-slim and gives it that name in buildah.sh's storage: a
# minimal Debian 12 with a working apt, the Node program NODE, and npm. Needs mmdebstrap, npm and root.
set -euo pipefail
name=${1:?} node=$(realpath "${2:?}")
cd "$(dirname "$0")"

container=$(./buildah.sh from scratch)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; ./buildah.sh rm "$container" >/dev/null' EXIT
root=$(./buildah.sh mount "$container")

apt-config dump --format '%f "%v";%n' | grep -E '^Acquire::(https?::Proxy |Check-|Retries)' >"$scratch/apt.conf" || true
# What a slim image leaves out of each package; its licence stays.
./apt-sources.sh bookworm | mmdebstrap --quiet --mode=root --variant=minbase --include=libatomic1,libstdc++6 \
  --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
  --aptopt="$scratch/apt.conf" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  bookworm "$root" -

install -m 755 "$node" "$root/usr/local/bin/node"
(cd "$scratch" && npm pack --silent npm@11 >/dev/null && tar xzf npm-*.tgz)
mkdir -p "$root/usr/local/lib/node_modules"
cp -r "$scratch/package" "$root/usr/local/lib/node_modules/npm"
for program in npm npx; do
  ln -s "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"
done
chown -R 0:0 "$root/usr/local"
echo "node $(chroot "$root" node --version), npm $(chroot "$root" npm --version)"
rm -rf "$root"/root/.npm "$root"/tmp/*

./buildah.sh config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd node "$container"
./buildah.sh commit --quiet "$container" "$name" >/dev/null
