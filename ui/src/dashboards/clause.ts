import type { Filter } from "../core/state";

/** A filter as a clause of Elasticsearch's query language. */
export function clause(f: Filter): object {
  const positive = plain(f);
  return f.negate ? { bool: { must_not: [positive] } } : positive;
}

function plain(f: Filter): object {
  switch (f.op) {
    case "exists":
      return { exists: { field: f.field } };
    case "range":
      return { range: { [f.field]: f.value } };
    case "one_of":
      return { terms: { [f.field]: Array.isArray(f.value) ? f.value : [f.value] } };
    case "is":
      return { term: { [f.field]: { value: f.value } } };
  }
}
