// The whole state of a page as an address, and back. Version 1; names are never reused.
import { asFilter, type Filter } from "./filter";

export interface TimeRange {
  from: string;
  to: string;
}

export type Language = "kuery" | "lucene";

export interface State {
  index: string;
  time: TimeRange;
  query: string;
  language: Language;
  filters: Filter[];
  /** Milliseconds between refreshes, 0 for none. */
  refresh: number;
  /** Columns of the table; none means those that suit the events. */
  columns: string[];
  sort: Sort;
  /** The field that divides the bars, "" for none. */
  breakdown: string;
  live: boolean;
  /** The event that is open: index/id. */
  doc: string;
}

export interface Sort {
  field: string;
  order: "asc" | "desc";
}

export const DEFAULTS: State = {
  index: "packetbeat-*",
  time: { from: "now-15m", to: "now" },
  query: "",
  language: "kuery",
  filters: [],
  refresh: 0,
  columns: [],
  sort: { field: "@timestamp", order: "desc" },
  breakdown: "status",
  live: false,
  doc: "",
};

/** The part of an address after `?`. What is as by default is left out, but for index and time. */
export function encode(s: State): string {
  const p = new URLSearchParams();
  p.set("v", "1");
  p.set("i", s.index);
  p.set("from", s.time.from);
  p.set("to", s.time.to);
  if (s.query) p.set("q", s.query);
  if (s.language !== DEFAULTS.language) p.set("l", s.language);
  if (s.filters.length) p.set("f", JSON.stringify(s.filters));
  if (s.refresh) p.set("r", String(s.refresh));
  if (s.columns.length) p.set("c", s.columns.join(","));
  if (s.sort.field !== DEFAULTS.sort.field || s.sort.order !== DEFAULTS.sort.order) p.set("s", `${s.sort.field}:${s.sort.order}`);
  if (s.breakdown !== DEFAULTS.breakdown) p.set("b", s.breakdown);
  if (s.live) p.set("live", "1");
  if (s.doc) p.set("d", s.doc);
  return p.toString().replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%40/g, "@").replace(/%2F/g, "/");
}

/** What an address says; what it does not say, or says wrongly, is absent. */
export function decode(search: string): Partial<State> {
  const p = new URLSearchParams(search);
  const out: Partial<State> = {};
  if (p.get("v") !== "1") return out;
  const index = p.get("i");
  if (index && /^[^\s"\\/<>|?#]+$/.test(index)) out.index = index;
  const from = p.get("from");
  const to = p.get("to");
  if (from && to) out.time = { from, to };
  const query = p.get("q");
  if (query !== null) out.query = query;
  if (p.get("l") === "lucene") out.language = "lucene";
  const filters = list(p.get("f"));
  if (filters.length) out.filters = filters;
  const refresh = Number(p.get("r"));
  if (Number.isInteger(refresh) && refresh >= 1000 && refresh <= 3_600_000) out.refresh = refresh;
  const columns = (p.get("c") ?? "").split(",").filter(Boolean);
  if (columns.length) out.columns = columns.slice(0, 100);
  const sort = /^(.+):(asc|desc)$/.exec(p.get("s") ?? "");
  if (sort?.[1]) out.sort = { field: sort[1], order: sort[2] === "asc" ? "asc" : "desc" };
  const breakdown = p.get("b");
  if (breakdown !== null) out.breakdown = breakdown;
  if (p.get("live") === "1") out.live = true;
  const doc = p.get("d");
  if (doc) out.doc = doc;
  return out;
}

function list(text: string | null): Filter[] {
  if (!text) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.map(asFilter).filter((f) => f !== undefined) : [];
  } catch {
    return [];
  }
}
