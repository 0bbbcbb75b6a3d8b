// Typed access to an aggregation's answer; whatever is missing or of another type counts as not there.
export type Json = { [key: string]: unknown };

export function object(v: unknown): Json {
  return typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Json) : {};
}

export function number(v: unknown): number | null {
  return typeof v === "number" && Number.isFinite(v) ? v : null;
}

export function buckets(agg: unknown): Json[] {
  const list = object(agg)["buckets"];
  return Array.isArray(list) ? list.map(object) : [];
}

/** A bucket of a `filters` aggregation. */
export function named(agg: unknown, name: string): Json {
  return object(object(object(agg)["buckets"])[name]);
}

export function count(bucket: Json): number {
  return number(bucket["doc_count"]) ?? 0;
}

/** A bucket's key as it is shown. */
export function key(bucket: Json): string {
  const text = bucket["key_as_string"] ?? bucket["key"];
  return typeof text === "string" ? text : String(text);
}

/** A bucket's key as it is filtered for. */
export function value(bucket: Json): unknown {
  const text = bucket["key_as_string"];
  return typeof bucket["key"] === "number" && typeof text === "string" ? text : bucket["key"];
}

/** One of a `percentiles` aggregation's values. */
export function percentile(agg: unknown, percent: number): number | null {
  const values = object(object(agg)["values"]);
  return number(values[percent.toFixed(1)] ?? values[String(percent)]);
}

/** A time as milliseconds, from a number or an ISO text. */
export function moment(v: unknown): number | null {
  if (typeof v === "string") {
    const ms = Date.parse(v);
    return Number.isNaN(ms) ? null : ms;
  }
  return number(v);
}
