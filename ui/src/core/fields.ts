// The fields of the chosen indices.
import { signal } from "@preact/signals";
import { fieldCaps, mapping } from "./es";
import { fields as leaves } from "./mapping";

export interface FieldInfo {
  name: string;
  type: string;
  searchable: boolean;
  aggregatable: boolean;
  unit?: string;
  /** Of an alias: the field it stands for. Documents have that one alone. */
  path?: string;
}

/** Fields by name, sorted; of the index pattern that was asked for last. */
export const fields = signal<Map<string, FieldInfo>>(new Map());

const KEEP = 60_000;
let loaded = { index: "", at: 0, done: Promise.resolve() };

/** Loads the fields of a pattern, once a minute at most. */
export function loadFields(index: string): Promise<void> {
  if (loaded.index === index && Date.now() - loaded.at < KEEP) return loaded.done;
  loaded = { index, at: Date.now(), done: load(index) };
  return loaded.done;
}

async function load(index: string): Promise<void> {
  try {
    const [caps, mappings] = await Promise.all([fieldCaps(index), mapping(index)]);
    const paths = new Map(leaves(mappings).map((f) => [f.name, f.path]));
    const out: FieldInfo[] = [];
    for (const [name, types] of Object.entries(caps.fields)) {
      const all = Object.values(types);
      const one = all[0];
      if (!one || one.metadata_field || one.type === "object" || name.startsWith("_")) continue;
      const unit = one.meta?.["unit"]?.[0];
      const path = paths.get(name);
      out.push({
        name,
        type: all.length > 1 ? "conflict" : one.type,
        searchable: one.searchable,
        aggregatable: all.every((t) => t.aggregatable),
        ...(unit ? { unit } : {}),
        ...(path ? { path } : {}),
      });
    }
    out.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (loaded.index === index) fields.value = new Map(out.map((f) => [f.name, f]));
  } catch (e) {
    loaded.at = 0;
    throw e;
  }
}
