#!/usr/bin/env bash
# apt-sources.sh CODENAME: the Debian archives that this machine uses, mirrors included, as lines of a sources.list for that
# release.
set -euo pipefail
codename=${1:?}
lines=$(apt-get indextargets --format '$(CODENAME) deb $(REPO_URI) $(RELEASE) main' \
  'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null |
  sed -E "s/^([a-z]+)[^ ]* (.*) \1([^ ]*) main$/\2 $codename\3 main/" | grep '^deb ' | sort -u) || true
if [ -z "$lines" ]; then
  echo 'apt knows no Debian archive here: run apt-get update, on a Debian machine' >&2
  exit 1
fi
printf '%s\n' "$lines"
