"""Blocks of every GGUF type that the gguf package reads, and the float32 bits it makes of them.

usage: python scripts/goldens/gguf_blocks.py src/lm/gguf/goldens/blocks.json
Types it can quantise get blocks of normal numbers (one row of them with zeros, extremes and halves); the K-quants it
only reads, so their blocks are random bytes with scales that are ordinary numbers. Bytes are base64, little-endian.
"""
import base64
import json
import pathlib
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

# Where the binary16 scales lie in a block.
K_SCALES = {T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}


def text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def main(path: pathlib.Path) -> None:
    random = np.random.default_rng(4)
    values = random.normal(size=(4, 64)).astype(np.float32)
    values[2, :32] = 0
    # 127 / 127 = 1: so that halves are met exactly, and rounded away from zero.
    values[2, 32:] = np.r_[127, np.arange(-15, 16) + 0.5]
    values[3] *= np.float32(10) ** random.integers(-9, 5, size=64).astype(np.float32)
    types = {}
    for kind in [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0]:
        blocks = gguf.quantize(values, kind)
        types[kind.name] = {"blocks": text(blocks), "values": text(gguf.dequantize(blocks, kind).astype(np.float32))}
    for kind, places in K_SCALES.items():
        blocks = random.integers(0, 256, size=(3, gguf.GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
        for place in places:
            scales = random.normal(scale=0.1, size=(3, 1)).astype(np.float16)
            blocks[:, place : place + 2] = scales.view(np.uint8)
        types[kind.name] = {"blocks": text(blocks), "values": text(gguf.dequantize(blocks, kind))}
    golden = {"gguf": __import__("importlib.metadata").metadata.version("gguf"), "input": text(values), "types": types}
    path.write_text(json.dumps(golden) + "\n")
    print({name: len(kind["blocks"]) for name, kind in types.items()})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
