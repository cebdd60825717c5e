# shellcheck shell=bash
# smoke URL [MODEL [PRECISION]]: waits until the server is ready, performs the three actions, and compares the
# vectors with the values published for MODEL (default: bge-m3) in PRECISION (default: fp16). MODEL `none` has no published values.

url=${1:?the address of a server}
model=${2:-bge-m3}
precision=${3:-fp16}
patience_seconds=120

fail() {
  echo "smoke: $*" >&2
  exit 1
}

wait_until_ready() {
  until [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$url/ping")" = 200 ]; do
    [ "$SECONDS" -lt "$patience_seconds" ] || fail "not ready after $patience_seconds s"
    sleep 0.1
  done
}

# Reads a job's input from standard input and writes its output to standard output.
perform() {
  jq '{input: .}' \
    | curl -fsS --max-time 60 "$url/runsync" -H 'content-type: application/json' --data-binary @- \
    | jq -e 'if .status == "COMPLETED" then .output else error(.error // .status) end'
}

# The published values are dot products of queries and passages, and vectors.
compare() {
  # Vectors in fp16 are those in fp32, and have their tolerances.
  jq -e --slurpfile references "$REFERENCES/$model.json" --arg precision "${precision/fp16/fp32}" '
    def dot($a; $b): reduce range($a | length) as $i (0; . + $a[$i] * $b[$i]);
    . as $vectors | $references[0] as $reference
    | [ ($reference.similarities[] as $table
          | range($table.queries | length) as $q | range($table.passages | length) as $p
          | dot($vectors[$table.queries[$q]]; $vectors[$table.passages[$p]]) as $found
          | {what: "\($table.queries[$q]) / \($table.passages[$p])", $found, published: $table.values[$q][$p],
             agrees: (($found - $table.values[$q][$p]) | fabs <= $table.tolerance[$precision])}),
        ($reference.vectors[] as $expected
          | dot($vectors[$expected.text]; $expected.values) as $found
          | {what: $expected.text, $found, published: 1, agrees: ($found >= $expected.smallest_cosine[$precision])}) ]
    | if length == 0 then error("no values are published") else . end
    | map(select(.agrees | not)) as $wrong
    | if $wrong == [] then "\(length) published values agree" else error("\($wrong)") end'
}

embed_published() {
  jq '[.similarities[] | .queries[], .passages[]] + [.vectors[].text] | unique' "$REFERENCES/$model.json" >"$work/texts"
  jq '{action: "embed_batch", texts: .}' "$work/texts" | perform \
    | jq --slurpfile texts "$work/texts" '[$texts[0], .embeddings] | transpose | map({key: .[0], value: .[1]}) | from_entries'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wait_until_ready
echo "ready after $SECONDS s"
served=$(curl -fsS --max-time 5 "$url/health" | jq -r .model.precision)
[ "$served" = "$precision" ] || fail "it serves $served, not $precision"
echo '{"action": "health_check"}' | perform | jq -e '.status == "ok"' >/dev/null || fail "health_check"
echo '{"action": "embed_query", "query": "What is machine learning?"}' | perform \
  | jq -e '.embedding | map(. * .) | add | . > 0.999 and . < 1.001' >/dev/null || fail "embed_query"
echo '{"action": "embed_batch", "texts": ["first", "second"]}' | perform \
  | jq -e '.embeddings | length == 2' >/dev/null || fail "embed_batch"
echo "the three actions succeeded"
if [ "$model" != none ]; then
  embed_published | compare
fi
