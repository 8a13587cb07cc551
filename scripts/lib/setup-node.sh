# Sourced by setup.sh: node, its packages, the compiled program, Pulumi, the sample app.
# shellcheck shell=bash

# What package.json wants at least, and what is brought where this machine's own is older.
node_wanted=$(sed -n 's/^ *"node": ">=\([0-9.]*\)".*/\1/p' package.json)
node_brought=$(<.node-version)
# npm's major version from which it knows the node that is brought.
npm_wanted=11
pulumi_launcher=pulumi@3.265.0

not_older() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; } # VERSION WANTED

# The version of this machine's node where another one is brought, which the packages wait for and nothing else here; "": it will do.
too_old=''

check_node() {
  local have candidate
  have=$("$(own_node)" -p process.versions.node 2>/dev/null) || have=none
  if [ "$have" != none ] && not_older "$have" "$node_wanted" && command -v npm >/dev/null; then
    rm -rf .release/node
    return
  fi
  candidate=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/^ *Candidate: //p') || candidate=
  if is_debian_root && [ -n "$candidate" ] && not_older "${candidate#*:}" "$node_wanted"; then
    step "[1/6] node" "installing nodejs $candidate" node apt_install nodejs || exit 2
    command -v npm >/dev/null || step "[1/6] node" "installing npm" npm apt_install npm || exit 2
    rm -rf .release/node
  else
    command -v npm >/dev/null || ! is_debian_root || step "[1/6] node" "installing npm" npm apt_install npm || exit 2
    command -v npm >/dev/null || refuse "[1/6] node: $node_wanted or newer is needed with npm, and here is neither" \
      "install a current Node.js (its own packages or a version manager), then run this again"
    too_old=$have
  fi
  hash -r
}

# Into the checkout: whoever may read that can run it. This machine's own stays as it is.
bring_node() {
  if [ -z "$too_old" ]; then return; fi
  if [ "$(cat .release/node/version 2>/dev/null)" != "$node_brought" ]; then
    step "[1/6] node" "here is $too_old, and $node_wanted or newer is needed: bringing $node_brought into .release/node (about 10 s)" node fetch_node || exit 2
  fi
  use_node
}

# The package that npm's `node` fetches in a script of its own, for this kind of machine; and an npm that knows it, where this one does not.
fetch_node() {
  local new=.release/node.new packages
  packages=("node-$(node -p 'process.platform + "-" + process.arch')@$node_brought")
  not_older "$(npm --version)" "$npm_wanted" || packages+=("npm@$npm_wanted")
  rm -rf "$new"
  mkdir -p "$new"
  npm install --no-audit --no-fund --no-save --ignore-scripts --prefix "$new" "${packages[@]}" || return
  "$new/node_modules/.bin/node" --version || return
  rm -rf "$new"/node_modules/node-*/{include,share} # two thirds of its files, for who compiles against it
  ln -s node_modules/.bin "$new/bin"
  echo "$node_brought" >"$new/version"
  rm -rf .release/node
  mv "$new" .release/node
}

set_up_packages() {
  bring_node
  if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    # Without their scripts: those build what only an ssh connection to Docker would be faster with (40 s of compiler), fetch a
    # plugin that the first update fetches anyway, and compile the program, which comes next.
    step "[2/6] node packages" "npm ci (about 15 s)" packages npm ci --ignore-scripts --no-audit --no-fund || exit 2
  fi
  step "[2/6] program" "compiling to dist/ (about 10 s)" compile compile || exit 2
}

# What a deleted source had been compiled to goes too: it would still be found and run.
compile() {
  local file
  node_modules/.bin/tsc -p . || return
  find dist -name '*.js' -print | while read -r file; do
    file=${file#dist/}
    [ -f "${file%.js}.ts" ] || rm -f "dist/$file" "dist/$file.map"
  done
  node scripts/lib/bundle.mjs
}

set_up_pulumi() {
  local remembered=''
  [ ! -f "$state/pulumi" ] || remembered=$(cat "$state/pulumi")
  if [ "$mode" = offline ]; then
    use_engine_stand_in "as asked"
    return
  elif [ -n "$(real_pulumi)" ]; then
    if has_plugins || { { [ "$mode" = online ] || [ "$remembered" != pulumi=stand-in ]; } && install_plugins; }; then
      rm -f .release/bin/pulumi
      echo "pulumi=path" >"$state/pulumi"
    elif [ "$mode" = online ]; then
      refuse "[5/6] Pulumi: $(real_pulumi) lacks plugins, and their download failed (see $state/pulumi-plugins.log)" "install those that package.json names with \`pulumi plugin install\`, or run without --online"
    else
      use_engine_stand_in "the one on PATH lacks plugins, and they are out of reach"
    fi
    return
  elif [ "$mode" = auto ] && [ "$remembered" = pulumi=stand-in ]; then
    use_engine_stand_in
    return
  fi
  say "[5/6] Pulumi: not on PATH; asking npm's launcher (90 s at most) ..."
  if watched "[5/6] Pulumi" pulumi-launcher install_launcher; then
    write_wrapper '.release/setup/launcher/node_modules/pulumi/run.js'
    echo "pulumi=launcher" >"$state/pulumi"
  elif [ "$mode" = online ]; then
    refuse "[5/6] Pulumi: not on PATH, and its download failed (see $state/pulumi-launcher.log)" "install Pulumi and put it on PATH, or run without --online"
  else
    use_engine_stand_in "its download is out of reach"
  fi
}

# The plugins of package.json's versions, as `NAME VERSION`.
plugins() { sed -n 's/^ *"@pulumi\/\(docker\|command\)": "\(.*\)".*/\1 \2/p' package.json; }

# Where Pulumi looks for them: on PATH, whichever version that is, and in its own directory.
has_plugins() {
  local name version
  while read -r name version; do
    type -P "pulumi-resource-$name" >/dev/null || [ -x "${PULUMI_HOME:-${HOME:-}/.pulumi}/plugins/resource-$name-v$version/pulumi-resource-$name" ] || return 1
  done < <(plugins)
}

install_plugins() {
  say "[5/6] Pulumi: $(real_pulumi) lacks plugins; downloading them (90 s at most) ..."
  watched "[5/6] Pulumi" pulumi-plugins fetch_plugins
}

fetch_plugins() {
  local name version
  while read -r name version; do
    PULUMI_SKIP_UPDATE_CHECK=true timeout 45 "$(real_pulumi)" plugin install resource "$name" "$version" </dev/null || return
  done < <(plugins)
  has_plugins
}

install_launcher() {
  npm install --silent --no-audit --no-fund --no-save --prefix "$state/launcher" "$pulumi_launcher"
  timeout 90 node "$state/launcher/node_modules/pulumi/run.js" version
}

use_engine_stand_in() { # [WHY]
  [ -z "${1:-}" ] || say "[5/6] Pulumi: the stand-in offline/engine is used ($1)"
  write_wrapper 'dist/offline/engine/main.js'
  echo "pulumi=stand-in" >"$state/pulumi"
}

write_wrapper() { # SCRIPT, relative to the project
  mkdir -p .release/bin
  # shellcheck disable=SC2016 # for the wrapper to expand
  printf '#!/bin/sh\n# Made by scripts/setup.sh.\nexec node "$(dirname "$0")/../../%s" "$@"\n' "$1" >.release/bin/pulumi.new
  chmod 755 .release/bin/pulumi.new
  mv .release/bin/pulumi.new .release/bin/pulumi
}

# For the `dev` stack, as long as it has no source of its own.
set_up_sample_app() {
  if grep -qs '^ *pbjrag:source:' Pulumi.dev.yaml && ! grep -qs '^ *pbjrag:source: *.release/sample-app' Pulumi.dev.yaml; then return; fi
  command -v git >/dev/null || refuse "[6/6] sample app: git is needed" "install git"
  offline/sample-app/make-repo.sh .release/sample-app >&3 2>&1 || refuse "[6/6] sample app: failed" "see the lines above"
}
