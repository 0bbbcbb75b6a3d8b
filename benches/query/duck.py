"""What DuckDB says to queries of Parquet files with one thread, and how many milliseconds each time took, as JSON."""

import json
import sys
import time

import duckdb

pattern, queries, times = sys.argv[1:]
db = duckdb.connect()
db.execute("set timezone = 'UTC'; set threads = 1")
source = f"read_parquet('{pattern}', union_by_name = true, hive_partitioning = false)"
answers = []
for query in json.loads(queries):
    took, said = [], None
    for _ in range(int(times) + 1 if query else 0):
        started = time.perf_counter()
        said = [row[:2] for row in db.execute(query.replace("EVENTS", source)).fetchall()]
        took.append((time.perf_counter() - started) * 1e3)
    answers.append({"took": took or None, "said": said})
print(json.dumps(answers, default=str))
