// How the value of a field is written: with its unit, by the field's type and name.
import { inert } from "../charts/inert";
import { formatDuration, formatValue } from "../charts/unit";
import { stamp } from "./time";

export { formatDuration, formatValue, inert };

export type FieldUnit = "bytes" | "ns" | "ms" | "fraction" | "packets" | "none";

/** The unit of a field: the one its mapping names, else what its name says. */
export function unitOf(field: string, declared?: string): FieldUnit {
  if (declared === "byte" || declared === "bytes") return "bytes";
  if (declared === "nanos") return "ns";
  if (declared === "percent") return "fraction";
  if (/(^|\.)(bytes|mtu)$/.test(field)) return "bytes";
  if (/(^|\.)(duration|handshake_rtt)$/.test(field)) return "ns";
  if (/(\.|_)pct$|^(host|container)\.(cpu|memory)\.usage$/.test(field)) return "fraction";
  if (field === "metricset.period") return "ms";
  return "none";
}

/** Whether a field's numbers are names rather than amounts: written without separators, aligned left. */
export function isName(field: string): boolean {
  return /(^|\.)(port|status_code|pid|pgid|ppid|id|code|type|version|vlan|key_tag|serial)$/.test(field);
}

/** A value as the table and the detail show it. */
export function show(field: string, type: string | undefined, value: unknown, unit?: string, longest?: number): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map((v) => show(field, type, v, unit, longest)).join(", ");
  if (typeof value === "object") return inert(JSON.stringify(value), longest);
  if (typeof value === "number") {
    switch (unitOf(field, unit)) {
      case "bytes":
        return formatValue(value, "bytes");
      case "ns":
        return formatValue(value, "ns");
      case "ms":
        return formatValue(value, "ms");
      case "fraction":
        return formatValue(value, "fraction");
      default:
        return isName(field) ? String(value) : formatValue(value, Number.isInteger(value) ? "count" : "number");
    }
  }
  if (type === "date" && typeof value === "string") {
    const ms = Date.parse(value);
    if (!Number.isNaN(ms)) return stamp(ms);
  }
  return inert(String(value), longest);
}

/** The exact value, for titles and copies. */
export function exact(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return "0 %";
  const p = (100 * part) / whole;
  if (p > 0 && p < 0.1) return "< 0.1 %";
  if (p < 100 && p > 99.9) return "> 99.9 %";
  return `${p.toFixed(1)} %`;
}
