"""Text to vectors without a model: each word is hashed to a place and a sign, and the sum is normalised."""

import hashlib
import re

import numpy

SIZE = 384
PASSAGE_LINES = 12


def embed(text: str) -> list[float]:
    vector = numpy.zeros(SIZE, dtype=numpy.float32)
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        place = int.from_bytes(digest[:4], "little") % SIZE
        vector[place] += 1.0 if digest[4] & 1 else -1.0
    length = float(numpy.linalg.norm(vector))
    if length == 0.0:
        vector[0] = length = 1.0
    return (vector / length).tolist()


def passages(text: str) -> list[str]:
    lines = text.splitlines()
    chunks = ["\n".join(lines[start : start + PASSAGE_LINES]).strip() for start in range(0, len(lines), PASSAGE_LINES)]
    return [chunk for chunk in chunks if chunk]
