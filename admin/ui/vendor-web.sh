#!/usr/bin/env bash
# Fetches the modules of others that the dashboard is made of, from the npm registry, each with the hash that it must have, and puts them as they
# are into web/lib with their licences. The only change: the hooks of preact find preact beside them and not by a bare name, which
# would take an import map.
set -euo pipefail
cd "$(dirname "$0")"
lib=web/lib
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch NAME VERSION SHA512(base64)
fetch() {
  (cd "$work" && npm pack --silent "$1@$2" >/dev/null)
  local archive="$work/$1-$2.tgz" sum
  sum=$(openssl dgst -sha512 -binary "$archive" | base64 -w0)
  [ "$sum" = "$3" ] || { echo "$1 $2 is not what it was: sha512 $sum" >&2; exit 1; }
  mkdir -p "$work/$1" && tar -xzf "$archive" -C "$work/$1" --strip-components 1
}

fetch preact 11.2.0 '/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg=='
fetch htm 3.1.1 '983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ=='
fetch uplot 1.6.32 'KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=='

rm -rf "$lib" && mkdir -p "$lib"
# No source maps: nothing serves them.
plain() { sed '/^\/\/# sourceMappingURL=/d' "$1" >"$2"; }
plain "$work/preact/dist/preact.mjs" "$lib/preact.mjs"
plain "$work/preact/hooks/dist/hooks.mjs" "$work/hooks.mjs"
sed 's|from"preact"|from"./preact.mjs"|g' "$work/hooks.mjs" >"$lib/hooks.mjs"
grep -q 'from"./preact.mjs"' "$lib/hooks.mjs" || { echo "the hooks import preact in another way now" >&2; exit 1; }
plain "$work/htm/dist/htm.mjs" "$lib/htm.mjs"
plain "$work/uplot/dist/uPlot.iife.min.js" "$lib/uPlot.iife.min.js"
cp "$work/uplot/dist/uPlot.min.css" "$lib/uPlot.min.css"
for name in preact htm uplot; do
  cp "$work/$name/LICENSE" "$lib/$name.LICENSE.txt"
done
ls -l "$lib"
