// An event as a list of fields with their values.

export interface Entry {
  field: string;
  values: unknown[];
}

const DEEPEST = 40;

/** Fields in the order of their names; of objects in a list, all values of a field together. */
export function flatten(source: unknown): Entry[] {
  const out = new Map<string, unknown[]>();
  const walk = (value: unknown, field: string, depth: number): void => {
    if (Array.isArray(value) && value.some((v) => typeof v === "object" && v !== null)) {
      for (const v of value) walk(v, field, depth + 1);
    } else if (typeof value === "object" && value !== null && !Array.isArray(value) && depth < DEEPEST) {
      for (const [k, v] of Object.entries(value)) walk(v, field === "" ? k : `${field}.${k}`, depth + 1);
    } else if (field !== "") {
      const list = out.get(field) ?? [];
      for (const v of Array.isArray(value) ? value : [value]) list.push(v);
      out.set(field, list);
    }
  };
  walk(source, "", 0);
  return [...out.entries()].map(([field, values]) => ({ field, values })).sort((a, b) => (a.field < b.field ? -1 : 1));
}
