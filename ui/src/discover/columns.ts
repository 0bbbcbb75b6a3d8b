// Which columns suit which events, how wide they are, and what a cell says.
import { signal } from "@preact/signals";
import type { Row } from "./model";
import { formatValue, show, unitOf, isName } from "../core/format";
import { fields } from "../core/fields";

/** The column that says in one line what an event is; no field of its own. */
export const SUMMARY = "_summary";

const BY_KIND: Record<string, string[]> = {
  http: ["@timestamp", "source.ip", "destination.ip", "http.request.method", "url.path", "http.response.status_code", "event.duration", "destination.bytes"],
  dns: ["@timestamp", "client.ip", "server.ip", "dns.question.type", "dns.question.name", "dns.response_code", "dns.resolved_ip", "event.duration"],
  redis: ["@timestamp", "source.ip", "destination.ip", "method", "query", "status", "event.duration", "network.bytes"],
  icmp: ["@timestamp", "source.ip", "destination.ip", "icmp.request.message", "icmp.response.message", "status", "event.duration"],
  flow: ["@timestamp", "source.ip", "source.port", "destination.ip", "destination.port", "network.transport", "network.protocol", "network.bytes", "network.packets", "event.duration", "flow.end_reason"],
  metric: ["@timestamp", "metricset.name", SUMMARY, "host.name"],
};
const MIXED = ["@timestamp", "type", SUMMARY, "source.ip", "destination.ip", "status", "event.duration", "network.bytes"];

/** Columns for events of these kinds, when the reader has chosen none. */
export function defaultColumns(kinds: string[], narrow: boolean): string[] {
  if (narrow) return ["@timestamp", SUMMARY];
  const only = kinds.length === 1 ? kinds[0] : undefined;
  return (only !== undefined && BY_KIND[only]) || MIXED;
}

/** What the summary is made of. */
const PARTS = [
  "type", "status", "query", "method", "path", "resource", "url.path", "url.original", "http.request.method", "http.response.status_code", "dns.question.name", "dns.question.type",
  "dns.response_code", "dns.type", "icmp.request.message", "icmp.response.message", "source.ip", "source.port", "destination.ip", "destination.port", "network.transport", "network.protocol",
  "network.bytes", "network.packets", "network.community_id", "event.duration", "event.dataset", "metricset.name", "host.name", "process.name", "system.cpu.total.pct", "system.cpu.total.norm.pct",
  "system.memory.actual.used.pct", "system.load.1", "system.filesystem.mount_point", "system.filesystem.used.pct", "system.process.cpu.total.pct", "system.process.memory.rss.bytes", "container.name",
];

/** Fields that the list asks for: never whole events, which may be a megabyte each. */
export function wanted(columns: string[]): string[] {
  return [...new Set(["@timestamp", ...PARTS, ...Object.values(BY_KIND).flat(), ...MIXED, ...columns])].filter((c) => c !== SUMMARY);
}

/** The value of a field, wherever its dots are; of several objects, all. */
export function valueAt(source: unknown, field: string): unknown {
  if (source === null || typeof source !== "object") return undefined;
  if (Array.isArray(source)) {
    const all = source.map((s) => valueAt(s, field)).filter((v) => v !== undefined);
    return all.length ? all.flat() : undefined;
  }
  const record = source as Record<string, unknown>;
  if (Object.hasOwn(record, field)) return record[field];
  for (let dot = field.indexOf("."); dot > 0; dot = field.indexOf(".", dot + 1)) {
    const head = field.slice(0, dot);
    if (!Object.hasOwn(record, head)) continue;
    const found = valueAt(record[head], field.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

const LONGEST = 240;

/** The text of a cell. */
export function cellText(row: Row, column: string): string {
  if (column === SUMMARY) return summary(row);
  const info = fields.value.get(column);
  return show(column, info?.type ?? (column === "@timestamp" ? "date" : undefined), valueAt(row.source, column), info?.unit, LONGEST);
}

function one(row: Row, field: string): string {
  const v = valueAt(row.source, field);
  return v === undefined || v === null ? "" : show(field, undefined, v, undefined, LONGEST);
}

function end(row: Row, side: string): string {
  const ip = one(row, `${side}.ip`);
  const port = one(row, `${side}.port`);
  return ip.includes(":") && port ? `[${ip}]:${port}` : port ? `${ip}:${port}` : ip;
}

/** An event in one line. */
export function summary(row: Row): string {
  const kind = kindOf(row);
  switch (kind) {
    case "http": {
      const code = one(row, "http.response.status_code");
      return `${one(row, "query") || `${one(row, "http.request.method")} ${one(row, "url.path")}`}${code ? ` → ${code}` : ""}`;
    }
    case "dns":
      return `${one(row, "dns.question.type")} ${one(row, "dns.question.name")} → ${(one(row, "dns.type") !== "query" && one(row, "dns.response_code")) || "no answer"}`.trim();
    case "icmp":
      return [one(row, "icmp.request.message"), one(row, "icmp.response.message")].filter(Boolean).join(" → ");
    case "flow":
      return `${one(row, "network.protocol") || one(row, "network.transport") || one(row, "network.type")} ${end(row, "source")} → ${end(row, "destination")}`;
    case "metric":
      return metric(row);
    default:
      return one(row, "query") || [one(row, "method"), one(row, "path") || one(row, "resource")].filter(Boolean).join(" ") || one(row, "event.dataset");
  }
}

function metric(row: Row): string {
  const parts: [string, string][] = [
    ["process.name", ""],
    ["container.name", ""],
    ["system.filesystem.mount_point", ""],
    ["system.cpu.total.norm.pct", "CPU"],
    ["system.process.cpu.total.pct", "CPU"],
    ["system.process.memory.rss.bytes", "memory"],
    ["system.memory.actual.used.pct", "used"],
    ["system.filesystem.used.pct", "used"],
    ["system.load.1", "load"],
  ];
  return parts
    .map(([f, name]) => {
      const text = one(row, f);
      return text && name ? `${name} ${text}` : text;
    })
    .filter(Boolean)
    .join(" · ");
}

export function kindOf(row: Row): string {
  const type = valueAt(row.source, "type");
  if (typeof type === "string") return type;
  return valueAt(row.source, "metricset") === undefined ? "" : "metric";
}

const NUMERIC = new Set(["long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long"]);

/** Whether a column's values are amounts, and stand at its right. */
export function isAmount(column: string): boolean {
  const type = fields.value.get(column)?.type;
  if (type === undefined) return unitOf(column) !== "none";
  return NUMERIC.has(type) && !isName(column);
}

const WIDTHS: Record<string, number> = {
  "@timestamp": 200,
  type: 76,
  status: 76,
  method: 96,
  query: 420,
  "source.ip": 142,
  "destination.ip": 142,
  "client.ip": 142,
  "server.ip": 142,
  "source.port": 92,
  "destination.port": 110,
  "http.request.method": 84,
  "url.path": 380,
  "http.response.status_code": 82,
  "event.duration": 100,
  "dns.question.name": 300,
  "dns.question.type": 70,
  "dns.response_code": 112,
  "dns.resolved_ip": 210,
  "network.transport": 94,
  "network.protocol": 94,
  "icmp.request.message": 190,
  "icmp.response.message": 190,
  "flow.end_reason": 120,
  "metricset.name": 130,
  [SUMMARY]: 440,
};
/** Columns that take what room is left. */
const GROWS = new Set([SUMMARY, "query", "url.path", "dns.question.name"]);
const KEY = "wirebeat.widths";
export const NARROWEST = 48;

function kept(): Record<string, number> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, w]) => typeof w === "number" && w >= NARROWEST && w <= 2000)) as Record<string, number>;
  } catch {
    return {};
  }
}

export const widths = signal<Record<string, number>>(kept());

export function setWidth(column: string, width: number | null): void {
  const next = { ...widths.value };
  if (width === null) delete next[column];
  else next[column] = Math.round(Math.min(2000, Math.max(NARROWEST, width)));
  widths.value = next;
  localStorage.setItem(KEY, JSON.stringify(next));
}

export function widthOf(column: string): number {
  return widths.value[column] ?? WIDTHS[column] ?? (isAmount(column) ? 110 : 170);
}

/** The columns as CSS's grid takes them. */
export function template(columns: string[], narrow: boolean): string {
  if (narrow && columns.length === 2) return "118px minmax(0, 1fr)";
  const grows = columns.filter((c) => GROWS.has(c) && widths.value[c] === undefined);
  const last = grows[0] ?? columns.at(-1);
  return columns.map((c) => (c === last ? `minmax(${widthOf(c) > 200 ? 180 : widthOf(c)}px, 1fr)` : `${widthOf(c)}px`)).join(" ");
}

const TITLES: Record<string, string> = {
  [SUMMARY]: "Summary",
  "@timestamp": "Time",
  type: "Type",
  status: "Status",
  method: "Method",
  query: "Query",
  "source.ip": "Source",
  "destination.ip": "Destination",
  "client.ip": "Client",
  "server.ip": "Server",
  "source.port": "Port",
  "destination.port": "Port",
  "http.request.method": "Method",
  "url.path": "Path",
  "http.response.status_code": "Code",
  "event.duration": "Duration",
  "destination.bytes": "Size",
  "network.bytes": "Bytes",
  "network.packets": "Packets",
  "network.transport": "Transport",
  "network.protocol": "Protocol",
  "dns.question.name": "Name",
  "dns.question.type": "Type",
  "dns.response_code": "Answer",
  "dns.resolved_ip": "Addresses",
  "icmp.request.message": "Request",
  "icmp.response.message": "Answer",
  "flow.end_reason": "End",
};

/** A column's title; a title that two columns would share gives way to the fields' names. */
export function titles(columns: string[]): string[] {
  const names = columns.map((c) => TITLES[c] ?? c);
  return names.map((n, i) => (names.indexOf(n) === names.lastIndexOf(n) ? n : (columns[i] ?? n)));
}

export { formatValue };
