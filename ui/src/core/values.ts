// Values of a field in the events that are looked at, for completion.
import { search } from "./es";
import type { FieldInfo } from "./fields";
import { startsWith } from "./kql";
import { filters, timeClause } from "./state";
import { clause } from "./filter";

export interface Value {
  key: string;
  count: number;
}

interface Bucket {
  key: unknown;
  key_as_string?: string;
  doc_count: number;
}

/** The most frequent values that begin with a prefix, over the page's time and filters. */
export async function valuesOf(index: string, field: FieldInfo, prefix: string, signal: AbortSignal): Promise<Value[]> {
  if (!field.aggregatable || field.type === "date" || field.type === "flattened") return [];
  const terms: Record<string, unknown> = { field: field.name, size: prefix && field.type !== "keyword" ? 200 : 12 };
  if (prefix && field.type === "keyword") terms["include"] = startsWith(prefix);
  const on = filters.peek().filter((f) => !f.disabled && f.field !== field.name);
  const body = {
    size: 0,
    track_total_hits: false,
    query: { bool: { filter: [timeClause(), ...on.map((f) => clause(f))] } },
    aggs: { values: { terms } },
  };
  const answer = await search(index, body, signal);
  const found = (answer.aggregations?.["values"] as { buckets?: Bucket[] } | undefined)?.buckets ?? [];
  return found
    .map((b) => ({ key: String(b.key_as_string ?? b.key), count: b.doc_count }))
    .filter((v) => v.key.startsWith(prefix))
    .slice(0, 12);
}
