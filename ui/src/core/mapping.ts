// Fields as a `_mapping` answer tells them.
import { object } from "../dashboards/answer";

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
