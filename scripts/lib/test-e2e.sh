# Sourced by test.sh: the end-to-end files, in two lanes side by side where there are several. Needs $suite, $files, $counts,
# $scratch, run_mocha and say.
# shellcheck shell=bash

# What measures a load, must meet a moment or takes the whole machine (20 deploys at once) goes one after another at full weight;
# everything else beside it, at a lower one.
measuring=" story traffic traffic-handlers traffic-freeze kills kills-back kills-first kills-random kills-stop faults-lock load "
# Too long for every day: these run in the full suite, and when they are named.
long=" adopt backup-faults backup-unchanged backups-cli data-faults data-rollback drill faults-docker former kills-back kills-first kills-random kills-stop load notify qdrant-change qdrant-version quiesce repository restore-faults restore-kills sample-app "
# Of a size that neither suite has the time for: only when they are named.
named=" data-scale "
beat=30 # seconds between two signs of life

# The story goes first: what it shows is what the rest builds on.
e2e_files() {
  local file
  if [ ${#files[@]} -gt 0 ]; then
    for file in "${files[@]}"; do basename "${file%.ts}" .test; done
    return
  fi
  for file in dist/test/e2e/story.test.js dist/test/e2e/*.test.js; do
    [ ! -f "$file" ] || basename "$file" .test.js
  done | awk '!seen[$0]++' | while read -r file; do
    if [[ $named != *" $file "* ]] && { [ "$suite" = full ] || [[ $long != *" $file "* ]]; }; then echo "$file"; fi
  done
}

run_e2e() { # ENGINE
  local name names=() first=() beside=()
  mapfile -t names < <(e2e_files)
  for name in "${names[@]}"; do
    if [ ! -f "dist/test/e2e/$name.test.js" ]; then
      echo "test: there is no test/e2e/$name.test.ts" >&2
      exit 2
    fi
    if [[ $measuring == *" $name "* ]]; then first+=("$name"); else beside+=("$name"); fi
  done
  if [ ${#first[@]} -eq 0 ] || [ ${#beside[@]} -eq 0 ]; then
    for name in "${names[@]}"; do
      say "end-to-end on the $1 engine: $name"
      run_file "$1" "$name"
    done
  else
    run_lanes "$1"
  fi
}

run_file() { # ENGINE NAME
  local began=$SECONDS
  PBJRAG_ENGINE=$1 run_mocha "$2 ($1)" "$([ "$suite" = full ] && echo 5400 || echo 900)" "dist/test/e2e/$2.test.js"
  echo "   $2 took $((SECONDS - began)) s"
}

# Uses the caller's lists. Each file's output is shown when it has ended.
run_lanes() { # ENGINE
  local pids=() pid last=$SECONDS
  mkdir -p "$scratch/running"
  say "end-to-end on the $1 engine, in two lanes: ${first[*]} | ${beside[*]}"
  lane "$1" "${first[@]}" &
  pids+=($!)
  weight=(nice -n 10)
  lane "$1" "${beside[@]}" &
  pids+=($!)
  weight=()
  while kill -0 "${pids[0]}" 2>/dev/null || kill -0 "${pids[1]}" 2>/dev/null; do
    sleep 1
    if [ $((SECONDS - last)) -ge $beat ]; then
      last=$SECONDS
      printf '   ... after %s s, under way:' "$SECONDS"
      for name in "$scratch"/running/*; do [ ! -f "$name" ] || printf ' %s (%s s)' "$(basename "$name")" "$((SECONDS - $(cat "$name")))"; done
      echo
    fi
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

lane() { # ENGINE NAME...
  local engine=$1 name all=$counts
  shift
  for name in "$@"; do
    counts=$scratch/$name.counts
    : >"$counts"
    echo "$SECONDS" >"$scratch/running/$name"
    run_file "$engine" "$name" >"$scratch/$name.log" 2>&1
    rm -f "$scratch/running/$name"
    flock "$scratch" bash -c 'printf "\n== test: end-to-end on the %s engine: %s\n" "$1" "$2"; cat "$3/$2.log"; cat "$3/$2.counts" >>"$4"' show "$engine" "$name" "$scratch" "$all"
  done
}
