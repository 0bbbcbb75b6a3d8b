// Filters beside the query: what they are, and how Elasticsearch is asked for them.
export interface Filter {
  field: string;
  op: "is" | "exists" | "range" | "one_of";
  value?: unknown;
  negate?: boolean;
  disabled?: boolean;
  pinned?: boolean;
  label?: string;
}

const OPS = ["is", "exists", "range", "one_of"];

/** A filter from what an address or a saved search says; undefined when it is none. */
export function asFilter(value: unknown): Filter | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const v = value as Record<string, unknown>;
  const { field, op } = v;
  if (typeof field !== "string" || field === "" || typeof op !== "string" || !OPS.includes(op)) return undefined;
  const out: Filter = { field, op: op as Filter["op"] };
  if (v["value"] !== undefined) out.value = v["value"];
  if (v["negate"] === true) out.negate = true;
  if (v["disabled"] === true) out.disabled = true;
  if (v["pinned"] === true) out.pinned = true;
  if (typeof v["label"] === "string") out.label = v["label"];
  return out;
}

/** Whether two filters ask about the same thing, whatever their switches. */
export function same(a: Filter, b: Filter): boolean {
  return a.field === b.field && a.op === b.op && JSON.stringify(a.value) === JSON.stringify(b.value);
}

/** The clause of one filter. Texts are matched as phrases, all else as terms. */
export function clause(f: Filter, type?: string): object {
  const positive = plain(f, type);
  return f.negate ? { bool: { must_not: [positive] } } : positive;
}

function plain(f: Filter, type?: string): object {
  switch (f.op) {
    case "exists":
      return { exists: { field: f.field } };
    case "range":
      return { range: { [f.field]: f.value } };
    case "one_of":
      return { terms: { [f.field]: Array.isArray(f.value) ? f.value : [f.value] } };
    case "is":
      if (type === "text") return { match_phrase: { [f.field]: f.value } };
      return { term: { [f.field]: { value: f.value } } };
  }
}

function word(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const SIGNS: Record<string, string> = { gte: "≥", gt: ">", lte: "≤", lt: "<" };

/** A filter in words, e.g. `NOT status: Error`. */
export function words(f: Filter): { not: boolean; name: string; value: string } {
  const not = f.negate === true;
  if (f.label !== undefined) return { not, name: "", value: f.label };
  switch (f.op) {
    case "exists":
      return { not, name: f.field, value: "exists" };
    case "one_of":
      return { not, name: f.field, value: (Array.isArray(f.value) ? f.value : [f.value]).map(word).join(", ") };
    case "range": {
      const parts = Object.entries((f.value ?? {}) as Record<string, unknown>).filter(([k]) => SIGNS[k] !== undefined);
      return { not, name: f.field, value: parts.map(([k, v]) => `${SIGNS[k] ?? ""} ${word(v)}`).join(" and ") };
    }
    case "is":
      return { not, name: f.field, value: word(f.value) };
  }
}
