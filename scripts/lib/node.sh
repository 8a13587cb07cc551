# Sourced by whatever starts node: the one that the set-up brought, where it brought one, and else this machine's. Needs $project.
# shellcheck shell=bash

use_node() {
  if [ -x "$project/.release/node/bin/node" ]; then export PATH=$project/.release/node/bin:$PATH; fi
}
