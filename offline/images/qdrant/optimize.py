"""Runs the engine's optimizers (merging, vacuum, HNSW) over a shard that no other process has open: `optimize.py SHARD`."""

import sys

import qdrant_edge as edge

shard = edge.EdgeShard.load(sys.argv[1])
shard.optimize()
shard.flush()
shard.close()
