#!/usr/bin/env bash
# zod's z.record on names that people chose, such as the names of collections, buckets or tags.
# Guess: what parses is what was given, or an error tells why not.
# Seen, with zod 4.6.7: a key named __proto__ in parsed JSON is left out of the result; the parse succeeds. A count, a checksum or a
# whole collection is missing from a manifest from then on, and nothing tells. A Map, or an array of pairs, keeps it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund zod@4.6.7
cat >keys.mjs <<'JS'
import { z } from "zod";
const given = JSON.parse('{"documents": 3, "__proto__": 4}');
const record = z.record(z.string(), z.number()).safeParse(given);
const pairs = z.array(z.tuple([z.string(), z.number()])).safeParse(Object.entries(given));
console.log(`given: ${Object.keys(given).join(" ")}`);
console.log(`record: ${record.success ? Object.keys(record.data).join(" ") : "refused"}`);
console.log(`pairs: ${pairs.success ? pairs.data.map(([key]) => key).join(" ") : "refused"}`);
JS
seen=$(node keys.mjs)
echo "$seen"
expected='given: documents __proto__
record: documents
pairs: documents __proto__'
[ "$seen" = "$expected" ] || { echo "changed" >&2; exit 1; }
echo "as before"
