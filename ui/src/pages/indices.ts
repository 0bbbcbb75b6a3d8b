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

export interface FieldRow {
  name: string;
  type: string;
  /** Of an alias: the field it stands for. */
  path?: string;
}

/** Leaves of a `_mapping` answer, sorted by name. */
export function fields(mapping: unknown): FieldRow[] {
  const out: FieldRow[] = [];
  const walk = (properties: unknown, prefix: string, depth: number) => {
    if (depth > 20) return;
    for (const [name, value] of Object.entries(object(properties))) {
      const field = object(value);
      const full = prefix ? `${prefix}.${name}` : name;
      const type = field["type"];
      if (typeof type === "string") {
        const path = field["path"];
        out.push(typeof path === "string" ? { name: full, type, path } : { name: full, type });
      }
      walk(field["properties"], full, depth + 1);
      walk(field["fields"], full, depth + 1);
    }
  };
  for (const index of Object.values(object(mapping))) walk(object(object(index)["mappings"])["properties"], "", 0);
  return out.sort((a, b) => a.name.localeCompare(b.name));
}

/** Names of a `_field_caps` answer. */
export function filled(caps: unknown): Set<string> {
  return new Set(Object.keys(object(object(caps)["fields"])));
}
