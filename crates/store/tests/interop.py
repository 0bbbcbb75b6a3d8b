"""What DuckDB and Polars find in the files of a store: for each field the values and a sum over them, as JSON."""

import glob
import json
import sys

import duckdb
import polars as pl


def field(column):
    """The field behind a column (see docs/store.md)."""
    return column.removesuffix("[ns]").removesuffix("[]").replace("[].", ".")


def add(found, column, count, total):
    name = field(column) + ("[ns]" if column.endswith("[ns]") else "")
    before = found.setdefault(name, [0, 0])
    before[0] += int(count or 0)
    before[1] += int(total or 0)


def with_duckdb(pattern):
    db = duckdb.connect()
    db.execute("set timezone = 'UTC'")
    source = f"read_parquet('{pattern}', union_by_name = true, hive_partitioning = false)"
    found = {"": [db.execute(f"select count(*) from {source}").fetchone()[0], 0]}
    for column, kind, *_ in db.execute(f"describe select * from {source}").fetchall():
        name = '"' + column + '"'
        rows = f"select {name} as v from {source}"
        while kind.endswith("[]"):
            kind = kind.removesuffix("[]")
            rows = f"select unnest(v) as v from ({rows})"
        total = {
            "BIGINT": "sum(v)",
            "INTEGER": "sum(v)",
            "DOUBLE": "count(v)",
            "BOOLEAN": "sum(v::int)",
            "VARCHAR": "sum(octet_length(encode(v)))",
            "TIMESTAMP WITH TIME ZONE": "sum(epoch_us(v)::hugeint)",
        }[kind]
        add(found, column, *db.execute(f"select count(v), {total} from ({rows})").fetchone())
    return found


def with_polars(pattern):
    found = {"": [0, 0]}
    for path in glob.glob(pattern):
        table = pl.read_parquet(path, hive_partitioning=False)
        found[""][0] += table.height
        for column in table.columns:
            values = table[column]
            while isinstance(values.dtype, pl.List):
                values = values.drop_nulls().explode(empty_as_null=False)
            values = values.drop_nulls()
            kind = values.dtype
            if kind in (pl.Int64, pl.Int32):
                total = values.cast(pl.Int128).sum()
            elif kind == pl.Float64:
                total = values.len()
            elif kind == pl.Boolean:
                total = values.sum()
            elif kind == pl.String:
                total = values.str.len_bytes().sum()
            else:
                assert isinstance(kind, pl.Datetime) and kind.time_unit == "us" and kind.time_zone == "UTC", kind
                total = values.dt.epoch("us").cast(pl.Int128).sum()
            add(found, column, values.len(), total)
    return found


engine, pattern = sys.argv[1:]
print(json.dumps({"duckdb": with_duckdb, "polars": with_polars}[engine](pattern)))
