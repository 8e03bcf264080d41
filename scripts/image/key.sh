#!/usr/bin/env bash
# key.sh: a hash of everything that the image is built from, to know whether a built one is still it.
set -euo pipefail
cd "$(dirname "$0")/../.."
{
  uname -m
  find Dockerfile .dockerignore package.json package-lock.json .npmrc tsconfig.json LICENSE scripts src -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum
} | sha256sum | cut -d' ' -f1
