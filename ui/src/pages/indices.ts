// What the Indices page knows, from the API's answers.
import { buckets, count, key, number, object } from "../dashboards/answer";

export interface IndexRow {
  name: string;
  health: string;
  documents: number | null;
  bytes: number | null;
  from: number | null;
  to: number | null;
}

function whole(v: unknown): number | null {
  const n = typeof v === "string" && v !== "" ? Number(v) : v;
  return typeof n === "number" && Number.isFinite(n) ? n : null;
}

/** `_cat/indices` and a search by `_index` -> rows, the newest first. */
export function rows(cat: unknown, spans: unknown): IndexRow[] {
  const times = new Map<string, { from: number | null; to: number | null }>();
  for (const b of buckets(object(object(spans)["aggregations"])["i"])) {
    if (count(b) > 0) times.set(key(b), { from: number(object(b["from"])["value"]), to: number(object(b["to"])["value"]) });
  }
  if (!Array.isArray(cat)) return [];
  return cat
    .map(object)
    .map((r): IndexRow => {
      const name = String(r["index"] ?? "");
      return {
        name,
        health: String(r["health"] ?? ""),
        documents: whole(r["docs.count"]),
        bytes: whole(r["store.size"]),
        from: times.get(name)?.from ?? null,
        to: times.get(name)?.to ?? null,
      };
    })
    .sort((a, b) => b.name.localeCompare(a.name));
}

export const SPANS = {
  size: 0,
  aggs: {
    i: {
      terms: { field: "_index", size: 10_000 },
      aggs: { from: { min: { field: "@timestamp" } }, to: { max: { field: "@timestamp" } } },
    },
  },
};

/** Names of a `_field_caps` answer. */
export function filled(caps: unknown): Set<string> {
  return new Set(Object.keys(object(object(caps)["fields"])));
}
