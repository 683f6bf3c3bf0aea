#!/bin/sh
# Runs a file with the project's own Node (see docs/decisions/0002-node-from-npm.md), installing what is missing first.
# exec at the end: a signal sent to npm must reach the server, not a shell that ignores it.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.slipway-installed
if [ ! -x node_modules/.bin/node ] || ! cmp -s package-lock.json "$stamp"; then
  echo 'Installing what is missing (once) …' >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json "$stamp"
fi
if [ ! -x node_modules/.bin/node ]; then
  echo "Slipway needs Node 26 and npm has no build of it for $(uname -sm): install Node 26, then link it as node_modules/.bin/node." >&2
  exit 1
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec node --disable-warning=ExperimentalWarning "$@"
