"""The vector store, through a package that this release forgot to install."""

from pbjrag_store_v4 import Store

__all__ = ["Store"]
