"""The vector store: one collection of passages in Qdrant, and the uploaded files beside it."""

import os
import uuid
from pathlib import Path

from qdrant_client import QdrantClient, models

from embedding import SIZE, embed, passages

COLLECTION = "pbjrag_chunks"
UPLOADS = Path(os.environ.get("UPLOADS_DIR", "/app/uploads"))


class Store:
    def __init__(self) -> None:
        self._client = QdrantClient(
            host=os.environ.get("QDRANT_HOST", "localhost"),
            port=int(os.environ.get("QDRANT_PORT", "6333")),
            api_key=os.environ.get("QDRANT_API_KEY") or None,
            https=False,
            timeout=10,
        )

    def _ensure(self) -> None:
        if not self._client.collection_exists(COLLECTION):
            self._client.create_collection(COLLECTION, vectors_config=models.VectorParams(size=SIZE, distance=models.Distance.COSINE))
            self._client.create_payload_index(COLLECTION, "file", models.PayloadSchemaType.KEYWORD)

    def add(self, name: str, content: bytes) -> int:
        """Keeps the file and indexes its passages; uploading it again replaces them."""
        self._ensure()
        UPLOADS.mkdir(parents=True, exist_ok=True)
        name = Path(name).name
        (UPLOADS / name).write_bytes(content)
        chunks = passages(content.decode("utf-8", errors="replace"))
        of_file = models.Filter(must=[models.FieldCondition(key="file", match=models.MatchValue(value=name))])
        self._client.delete(COLLECTION, points_selector=of_file)
        points = [
            models.PointStruct(
                id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}#{number}")),
                vector=embed(chunk),
                payload={"file": name, "number": number, "text": chunk},
            )
            for number, chunk in enumerate(chunks)
        ]
        if points:
            self._client.upsert(COLLECTION, points)
        return len(points)

    def search(self, text: str, limit: int = 5) -> list[models.ScoredPoint]:
        self._ensure()
        return self._client.query_points(COLLECTION, query=embed(text), limit=limit).points

    def count(self) -> int:
        self._ensure()
        return self._client.count(COLLECTION, exact=True).count

    @staticmethod
    def files() -> list[str]:
        return sorted(path.name for path in UPLOADS.iterdir()) if UPLOADS.is_dir() else []
