// The cell that the keys act on.
import { signal } from "@preact/signals";
import { copy } from "../app/toast";
import { addFilter, columns, doc, sort } from "../core/state";
import type { Filter } from "../core/filter";
import { exact } from "../core/format";
import { SUMMARY, valueAt } from "./columns";
import { rows, shown, type Row } from "./model";

export const cursor = signal<{ id: string; column: number } | null>(null);

export function cursorRow(): number {
  const id = cursor.value?.id;
  return id === undefined ? -1 : rows.value.findIndex((r) => r.id === id);
}

/** Moves over rows and columns; an open event follows. Answers the row. */
export function move(down: number, across: number): number {
  const n = rows.value.length;
  if (n === 0) return -1;
  const here = cursorRow();
  const next = here < 0 ? 0 : Math.max(0, Math.min(n - 1, here + down));
  const row = rows.value[next];
  if (!row) return -1;
  const column = Math.max(0, Math.min(shown.value.length - 1, (cursor.value?.column ?? 0) + across));
  cursor.value = { id: row.id, column };
  if (doc.value !== "" && down !== 0) doc.value = path(row);
  return next;
}

export function path(row: Row): string {
  return `${row.index}/${row.id}`;
}

/** Filters for a value, or without it; several values are one filter each. */
export function filterValue(field: string, value: unknown, negate: boolean): void {
  for (const f of filtersOf(field, value)) addFilter(negate ? { ...f, negate: true } : f);
}

export function filtersOf(field: string, value: unknown): Filter[] {
  if (field === SUMMARY || (typeof value === "object" && value !== null && !Array.isArray(value))) return [];
  if (value === undefined || value === null) return [{ field, op: "exists", negate: true }];
  if (Array.isArray(value)) return value.filter((v) => typeof v !== "object").map((v) => ({ field, op: "is", value: v }));
  return [{ field, op: "is", value }];
}

/** What a key does with the cell that is chosen; false when there is none. */
export function onCell(what: "for" | "without" | "copy" | "open" | "flow"): boolean {
  const row = rows.value[cursorRow()];
  const at = cursor.value;
  if (!row || !at) return false;
  const field = shown.value[at.column] ?? "@timestamp";
  const value = valueAt(row.source, field);
  switch (what) {
    case "open":
      doc.value = doc.value === path(row) ? "" : path(row);
      return true;
    case "flow": {
      const id = valueAt(row.source, "network.community_id");
      if (id === undefined) return false;
      filterValue("network.community_id", id, false);
      return true;
    }
    case "copy":
      void copy(value === undefined ? "" : exact(value), "Value");
      return true;
    default:
      if (field === SUMMARY) return false;
      filterValue(field, value, what === "without");
      return true;
  }
}

/** Puts a column at another place, or takes it away, or adds it. */
export function moveColumn(column: string, by: number): void {
  const list = [...shown.value];
  const i = list.indexOf(column);
  const j = i + by;
  if (i < 0 || j < 0 || j >= list.length) return;
  list.splice(i, 1);
  list.splice(j, 0, column);
  columns.value = list;
}

export function toggleColumn(column: string): void {
  const list = shown.value;
  if (!list.includes(column)) columns.value = [...list, column];
  else if (list.length > 1) columns.value = list.filter((c) => c !== column);
}

export function sortBy(column: string): void {
  const { field, order } = sort.value;
  const down = column === "@timestamp" ? "desc" : "asc";
  sort.value = { field: column, order: field === column ? (order === "asc" ? "desc" : "asc") : down };
}
