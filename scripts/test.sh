#!/usr/bin/env bash
# Runs the tests with all the set-up that they need. See --help.
set -euo pipefail

project=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$project"
suite=quick
part=all
engines=${PBJRAG_ENGINE:-}
grep_for=''
files=()
bench=() # what the measurements, or the chaos, are told
weight=() # a prefix of commands that run at another weight

usage() {
  cat <<'EOF'
Usage: scripts/test.sh [unit | e2e] [--full | --bench | --chaos] [--grep TEXT] [--engine stand-in|real|both] [FILE]...

Sets this machine up, compiles, runs the unit tests, then each end-to-end file on real Docker, several at a time.
The last line is "N passed, N failed, N skipped"; the exit code is 0 only if none failed.

  unit, e2e      only these
  FILE           end-to-end files by name: story, kills, ...
  --full         every row of the fault matrix at its full count (some 90 minutes on two cores)
  --bench        measurements instead of tests; what follows is theirs (--out FILE, --only NAME)
  --chaos        backups and restores disturbed at random moments; what follows is its own (--runs N, --minutes M, --seed S)
  --grep TEXT    only tests whose title holds TEXT
  --engine WHICH what runs the program: the stand-in (default), the pulumi on PATH, or both, one after the other;
                 --full takes both where there is a pulumi on PATH. PBJRAG_ENGINE sets the same.

PBJRAG_SEED=N repeats a run's random choices; PBJRAG_TEST_ECHO=1 shows the output of the commands under test.

Examples:
  scripts/test.sh unit
  scripts/test.sh e2e story
  scripts/test.sh e2e kills --full --engine real
EOF
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) usage; exit 0 ;;
      unit | e2e) part=$1 ;;
      --full) suite=full ;;
      --bench | --chaos) part=${1#--}; shift; bench=("$@"); break ;;
      --grep) grep_for=${2:?--grep needs a text}; shift ;;
      --engine) engines=${2:?--engine needs stand-in, real or both}; shift ;;
      -*) echo "test: unknown argument $1; see scripts/test.sh --help" >&2; exit 2 ;;
      *) files+=("$1"); part=e2e ;;
    esac
    shift
  done
  if [ -z "$engines" ]; then
    engines=stand-in
    if [ "$suite" = full ] && [ -n "$(real_pulumi)" ]; then engines=both; fi
  fi
  case $engines in
    stand-in | real) ;;
    both) engines="stand-in real" ;;
    *) echo "test: --engine is stand-in, real or both, not $engines" >&2; exit 2 ;;
  esac
}

real_pulumi() {
  type -P -a pulumi | grep -vF '/.release/bin/pulumi' | head -n 1
}

# shellcheck source=scripts/lib/setup-report.sh
source scripts/lib/setup-report.sh
# shellcheck source=scripts/lib/test-e2e.sh
source scripts/lib/test-e2e.sh
# shellcheck source=scripts/lib/node.sh
source scripts/lib/node.sh

say() { printf '\n== test: %s\n' "$*"; }

# Compiles. A type error is a failed test of its own; the program is emitted nevertheless.
compile() {
  say "compiling and checking types"
  if bash -ec 'source scripts/lib/setup-node.sh; compile'; then
    echo "count 1 0 0" >>"$counts"
  else
    printf 'count 0 1 0\nfailed type check\n' >>"$counts"
  fi
}

# One mocha process. One that ends without having counted (a crash, a time-out) is a failure.
run_mocha() { # WHAT SECONDS MOCHA-ARGUMENTS...
  local what=$1 limit=$2 before status=0
  shift 2
  before=$(wc -l <"$counts")
  PBJRAG_TEST_COUNTS=$counts PBJRAG_SUITE=$suite timeout --foreground -k 30 "$limit" \
    ${weight[@]+"${weight[@]}"} node node_modules/mocha/bin/mocha.js --reporter dist/test/support/reporter.js ${grep_for:+--fgrep "$grep_for"} "$@" </dev/null || status=$?
  if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
    printf 'count 0 1 0\nfailed %s: not ended within %s s\n' "$what" "$limit" >>"$counts"
  elif [ "$(wc -l <"$counts")" -eq "$before" ]; then
    printf 'count 0 1 0\nfailed %s: ended with code %s before its tests did\n' "$what" "$status" >>"$counts"
  fi
}

run_unit() {
  say "unit tests"
  run_mocha "unit tests" 600 'dist/test/**/*.test.js' --ignore 'dist/test/e2e/**'
}

# The sum of all counts, the failures by name, and the last line.
finish() {
  local word a b c passed=0 failed=0 skipped=0
  say "done in $SECONDS s"
  while read -r word a b c; do
    case $word in
      count) passed=$((passed + a)) failed=$((failed + b)) skipped=$((skipped + c)) ;;
      failed) echo "   FAILED: $a $b $c" ;;
    esac
  done <"$counts"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

main() {
  read_arguments "$@"
  scratch=$(mktemp -d)
  counts=$scratch/counts
  : >"$counts"
  trap 'rm -rf "$scratch"' EXIT
  # shellcheck disable=SC2046 # one word per id
  trap 'trap - INT TERM; stop_tree $(jobs -p); exit 130' INT TERM
  say "set-up"
  if [ "$suite" = full ] || [[ "${files[*]}" == *repository* ]]; then export PBJRAG_RESTIC=1; fi
  scripts/setup.sh
  use_node
  compile
  if [ "$part" = bench ]; then
    node dist/test/bench/main.js ${bench[@]+"${bench[@]}"}
    return
  fi
  if [ "$part" = chaos ]; then
    node dist/test/chaos/main.js ${bench[@]+"${bench[@]}"}
    return
  fi
  if [ "$part" != e2e ]; then run_unit; fi
  if [ "$part" != unit ]; then
    for engine in $engines; do run_e2e "$engine"; done
  fi
  finish
}

main "$@"
