"""Small Parquet files as pyarrow writes them, and what it reads back: of KIND-HOW.parquet in KIND.json, for src/data/parquet/read.test.ts.

    pip install pyarrow==26.0.1
    python scripts/goldens/parquet.py
"""

import datetime
import decimal
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).parents[2] / "src" / "data" / "parquet" / "goldens"
OUT.mkdir(parents=True, exist_ok=True)

TURN = pa.struct([("role", pa.string()), ("content", pa.string())])


def messages(i):
    turns = [{"role": "system", "content": "Be brief."}] if i % 3 == 0 else []
    return turns + [
        {"role": "user", "content": f"Where is parcel {i * 7919 % 1000}? \U0001f600 é"},
        {"role": "assistant", "content": "On its way." if i % 2 else f"It came on day {i}."},
    ]


def write(name, table, **how):
    how = {"store_schema": False, "write_statistics": name == "types", **how}
    pq.write_table(table, OUT / f"{name}.parquet", **how)


conversations = pa.table(
    {
        "messages": pa.array([messages(i) for i in range(20)], pa.list_(TURN)),
        "group": pa.array([f"g{i // 4}" if i % 5 else None for i in range(20)], pa.string()),
    }
)
for compression in ["none", "snappy"]:
    write(f"messages-{compression}", conversations, compression=compression, row_group_size=10)
# Pages of some 64 bytes: lists go on from one page to the next in the first version.
write("messages-small-pages", conversations, data_page_size=64, use_dictionary=False, write_batch_size=1)
write("messages-v2", conversations, data_page_version="2.0", row_group_size=7, compression="zstd")

pairs = pa.table(
    {
        "prompt": pa.array([f"p{i}" for i in range(6)]),
        "chosen": pa.array([[{"role": "assistant", "content": f"good {i}"}] for i in range(6)], pa.list_(TURN)),
        "rejected": pa.array([[{"role": "assistant", "content": f"bad {i}"}] for i in range(6)], pa.list_(TURN)),
    }
)
write("pairs", pairs, compression="gzip")

N = 4
UTC = datetime.timezone.utc
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=UTC)
types = pa.table(
    {
        "prompt": pa.array(["p"] * N),
        "int8": pa.array([1, -2, None, 127], pa.int8()),
        "uint32": pa.array([1, 2, None, 4294967295], pa.uint32()),
        "int64": pa.array([0, -(2**53) + 1, None, 2**53 - 1], pa.int64()),
        "uint64": pa.array([0, 1, None, 2**53 - 1], pa.uint64()),
        "float": pa.array([0.5, -1.5, None, 3.0], pa.float32()),
        "double": pa.array([0.1, -1e300, None, 5e-324], pa.float64()),
        "bool": pa.array([True, False, None, True]),
        "date": pa.array([MOMENT.date(), datetime.date(1969, 12, 31), None, datetime.date(1, 1, 1)], pa.date32()),
        "millis": pa.array([MOMENT, None, MOMENT, MOMENT], pa.timestamp("ms", "UTC")),
        "micros": pa.array([MOMENT, None, MOMENT, MOMENT], pa.timestamp("us", "UTC")),
        "nanos": pa.array([1_709_209_845_123_456_789, None, -1, 0], pa.timestamp("ns")),
        "time": pa.array([datetime.time(1, 2, 3, 4000), None, datetime.time(0), datetime.time(23, 59, 59)], pa.time64("us")),
        "decimal": pa.array([decimal.Decimal(x) if x else None for x in ["0.3", "-12.75", None, "9999.99"]], pa.decimal128(8, 2)),
        "words": pa.array([["a", "b"], [], None, ["c", None]], pa.list_(pa.string())),
        "grid": pa.array([[[1, 2], [], [3, 4]], None, [], [None, [3]]], pa.list_(pa.list_(pa.int32()))),
        "map": pa.array([[("k", 1), ("l", 2)], [], None, [("m", None)]], pa.map_(pa.string(), pa.int64())),
        "struct": pa.array([{"x": 1, "y": {"z": "deep"}}, {"x": None, "y": {"z": None}}, None, {"x": 2, "y": None}]),
        "nothing": pa.nulls(N),
    }
)
for name, how in {
    "types": {},
    "types-plain": {"use_dictionary": False, "compression": "none"},
}.items():
    write(name, types, **how)

numbers = pa.table(
    {
        "prompt": pa.array([f"prompt {i:04d}" for i in range(200)]),
        "id": pa.array([f"prefix-{i:04d}" for i in range(200)]),
        "wide": pa.array([(i * 2654435761) ** 2 % 2**53 * (-1) ** i for i in range(200)], pa.int64()),
        "near": pa.array([1000 + i * i % 7 for i in range(200)], pa.int32()),
        "split": pa.array([i / 7 for i in range(200)], pa.float64()),
        "flag": pa.array([i % 3 == 0 for i in range(200)]),
    }
)
write(
    "encodings",
    numbers,
    use_dictionary=False,
    compression="zstd",
    column_encoding={
        "prompt": "DELTA_LENGTH_BYTE_ARRAY",
        "id": "DELTA_BYTE_ARRAY",
        "wide": "DELTA_BINARY_PACKED",
        "near": "DELTA_BINARY_PACKED",
        "split": "BYTE_STREAM_SPLIT",
        "flag": "RLE",
    },
)


def said(value):
    """As a row says it: members that are null are absent."""
    if isinstance(value, dict):
        return {key: said(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return {key: said(inner) for key, inner in value}
    if isinstance(value, list):
        return [said(inner) for inner in value]
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    return value


# Times are held to their own words in the test: Python has no nanoseconds and writes ISO 8601 in other lengths.
written = set()
TIMES = ["millis", "micros", "nanos", "time"]
for file in sorted(OUT.glob("*.parquet")):
    table = pq.read_table(file)
    table = table.drop_columns([name for name in TIMES if name in table.column_names])
    rows = [said(row) for row in table.to_pylist()]
    for row in rows:
        if "map" in row and row["map"] == []:
            row["map"] = {}
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":")) + "\n"
    expected = OUT / f"{file.stem.split('-')[0]}.json"
    if expected in written:
        assert expected.read_text() == text, file
    expected.write_text(text)
    written.add(expected)
