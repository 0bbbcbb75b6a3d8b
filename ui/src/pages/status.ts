// `/_ui/status` as the Capture page reads it. Any key may be missing, and is then not shown.
import { moment, number, object, type Json } from "../dashboards/answer";

export interface Device {
  name: string;
  kind?: string;
  captured?: boolean;
  why?: string;
  packets: number | null;
  bytes: number | null;
  packetsPerSecond: number | null;
  bitsPerSecond: number | null;
}

export interface LossCounter {
  name: string;
  value: number;
  meaning?: string;
}

export interface Note {
  level: string;
  text: string;
}

/** A list of objects whose columns are not fixed. */
export interface Sheet {
  columns: string[];
  rows: Json[];
}

export interface CaptureHealth {
  known: boolean;
  running: boolean | null;
  mode: string | null;
  version: string | null;
  started: number | null;
  devices: Device[];
  shards: Sheet;
  rates: { packets: number | null; bytes: number | null; events: number | null };
  loss: LossCounter[];
  parsers: Sheet;
  /** What flows hold, how much they may, and what the whole program has; bytes. */
  memory: { used: number | null; budget: number | null; process: number | null };
  undecoded: { protocol: string; flows: number | null; bytes: number | null; why?: string }[];
  notes: Note[];
  journal: { bytes: number | null; quota: number | null };
  readers: { name: string; lagEvents: number | null; lagBytes: number | null; lost: number | null }[];
}

function list(v: unknown): Json[] {
  return Array.isArray(v) ? v.map(object) : [];
}

function text(v: unknown): string | undefined {
  return typeof v === "string" && v !== "" ? v : undefined;
}

function optional<K extends string>(key: K, value: string | undefined): { [k in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [k in K]?: string });
}

function sheet(v: unknown, first: string): Sheet {
  const rows = list(v);
  const columns = new Set<string>();
  for (const r of rows) for (const [k, value] of Object.entries(r)) if (["number", "string", "boolean"].includes(typeof value)) columns.add(k);
  return { columns: [...columns].sort((a, b) => Number(b === first) - Number(a === first)), rows };
}

export function health(status: unknown): CaptureHealth {
  const s = object(status);
  const c = object(s["capture"]);
  const rates = object(c["rates"]);
  const memory = object(c["memory"]);
  const journal = object(s["journal"]);
  return {
    known: status !== undefined,
    running: typeof c["running"] === "boolean" ? c["running"] : null,
    mode: text(s["mode"]) ?? null,
    version: text(s["version"]) ?? null,
    started: moment(s["started"]),
    devices: list(c["devices"]).map((d) => ({
      name: String(d["name"] ?? "?"),
      ...optional("kind", text(d["kind"])),
      ...(typeof d["captured"] === "boolean" ? { captured: d["captured"] } : {}),
      ...optional("why", text(d["why"])),
      packets: number(d["packets"]),
      bytes: number(d["bytes"]),
      packetsPerSecond: number(d["packets_per_s"]),
      bitsPerSecond: number(d["bits_per_s"]),
    })),
    shards: sheet(c["shards"], "id"),
    rates: { packets: number(rates["packets"]), bytes: number(rates["bytes"]), events: number(rates["events"]) },
    loss: list(c["loss"]).flatMap((l) => {
      const value = number(l["value"]);
      return value === null ? [] : [{ name: String(l["name"] ?? "?"), value, ...optional("meaning", text(l["meaning"])) }];
    }),
    parsers: sheet(c["parsers"], "protocol"),
    memory: { used: number(memory["used"]), budget: number(memory["budget"]), process: number(memory["process"]) },
    undecoded: list(c["undecoded"]).map((u) => ({
      protocol: text(u["protocol"]) ?? "unknown",
      flows: number(u["flows"]),
      bytes: number(u["bytes"]),
      ...optional("why", text(u["why"])),
    })),
    notes: list(c["notes"]).flatMap((n) => {
      const t = text(n["text"]);
      return t === undefined ? [] : [{ level: text(n["level"]) ?? "info", text: t }];
    }),
    journal: { bytes: number(journal["bytes"]), quota: number(journal["quota"]) },
    readers: list(journal["readers"]).map((r) => ({
      name: String(r["name"] ?? "?"),
      lagEvents: number(r["lag_events"]),
      lagBytes: number(r["lag_bytes"]),
      lost: number(r["lost_to_quota"]),
    })),
  };
}

/** Whether nothing comes in, and so what to do is said. */
export function silent(h: CaptureHealth): boolean {
  if (!h.known || h.mode === "read") return false;
  if (h.running === false) return true;
  const any = h.devices.filter((d) => d.captured !== false);
  if (h.devices.length > 0 && any.length === 0) return true;
  return any.length > 0 && any.every((d) => d.packets === 0);
}
