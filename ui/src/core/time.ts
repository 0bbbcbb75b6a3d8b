// Time as people and Elasticsearch write it. Days begin where the browser is; the offset is shown with every time.

const UNITS: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, H: 3600e3, d: 86400e3, w: 604800e3 };

/** The offset from UTC, e.g. +01:00. */
export function offset(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const a = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(a / 60))}:${two(a % 60)}`;
}

/** The browser's zone by name, e.g. Europe/Berlin. */
export function zoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

function two(n: number, width = 2): string {
  return String(n).padStart(width, "0");
}

/** `2026-11-25 08:45:59.123`, in the browser's zone. */
export function stamp(ms: number, millis = true): string {
  const d = new Date(ms);
  if (Number.isNaN(d.getTime())) return "–";
  return `${day(ms)} ${clock(ms, millis)}`;
}

export function day(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getFullYear(), 4)}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

export function clock(ms: number, millis = true): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}${millis ? `.${two(d.getMilliseconds(), 3)}` : ""}`;
}

/** The same with its offset. */
export function stampFull(ms: number): string {
  return `${stamp(ms)} ${offset(ms)}`;
}

/** An absolute time as typed: ISO 8601, or a date with or without a time in the browser's zone. */
export function absolute(text: string): number | null {
  const m = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|[+−-]\d{2}:?\d{2})?$/.exec(text.trim());
  if (!m) return /^\d{12,14}$/.test(text) ? Number(text) : null;
  const [year, month, date, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((i) => Number(m[i] ?? 0)) as [number, number, number, number, number, number];
  const millis = Math.floor(Number(`0.${m[7] ?? "0"}`) * 1000 + 1e-6);
  if (month < 1 || month > 12 || date < 1 || date > 31 || hour > 23 || minute > 59 || second > 60) return null;
  const zone = m[8];
  const d = new Date(0);
  if (zone === undefined) {
    d.setFullYear(year, month - 1, date);
    d.setHours(hour, minute, second, millis);
    return d.getMonth() === month - 1 ? d.getTime() : null;
  }
  d.setUTCFullYear(year, month - 1, date);
  d.setUTCHours(hour, minute, second, millis);
  if (d.getUTCMonth() !== month - 1 && zone === "Z") return null;
  if (zone === "Z") return d.getTime();
  const sign = zone.startsWith("+") ? 1 : -1;
  const digits = zone.slice(1).replace(":", "");
  return d.getTime() - sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60e3;
}

/** Date math of Elasticsearch: `now-15m`, `now/d`, `2026-11-25||+1d/M`. With `up`, rounding goes to the unit's last ms. */
export function parse(text: string, now: number, up = false): number | null {
  const trimmed = text.trim();
  let rest: string;
  let at: number | null;
  if (trimmed.startsWith("now")) {
    at = now;
    rest = trimmed.slice(3);
  } else {
    const [anchor, math] = trimmed.split("||", 2);
    at = absolute(anchor ?? "");
    rest = math ?? "";
  }
  if (at === null) return null;
  const step = /^\s*(?:([+-])(\d+)(ms|[yMwdhHms])|\/([yMwdhHms]))/;
  while (rest.trim() !== "") {
    const m = step.exec(rest);
    if (!m) return null;
    rest = rest.slice(m[0].length);
    if (m[4] !== undefined) at = round(at, m[4], up);
    else at = add(at, (m[1] === "-" ? -1 : 1) * Number(m[2]), m[3] ?? "ms");
    if (!Number.isFinite(at)) return null;
  }
  return at;
}

function add(at: number, n: number, unit: string): number {
  const d = new Date(at);
  if (unit === "y" || unit === "M") {
    const months = unit === "y" ? 12 * n : n;
    const date = d.getDate();
    d.setDate(1);
    d.setMonth(d.getMonth() + months);
    d.setDate(Math.min(date, new Date(d.getFullYear(), d.getMonth() + 1, 0).getDate()));
    return d.getTime();
  }
  if (unit === "d" || unit === "w") {
    d.setDate(d.getDate() + n * (unit === "w" ? 7 : 1));
    return d.getTime();
  }
  return at + n * (UNITS[unit] ?? NaN);
}

function round(at: number, unit: string, up: boolean): number {
  const d = new Date(at);
  if (unit === "y") d.setMonth(0, 1);
  if (unit === "M") d.setDate(1);
  if (unit === "w") d.setDate(d.getDate() - ((d.getDay() + 6) % 7));
  if ("yMwd".includes(unit)) d.setHours(0, 0, 0, 0);
  else if (unit === "h" || unit === "H") d.setMinutes(0, 0, 0);
  else if (unit === "m") d.setSeconds(0, 0);
  else if (unit === "s") d.setMilliseconds(0);
  return up ? add(d.getTime(), 1, unit) - 1 : d.getTime();
}

/** Quick ranges of the time picker. */
export const QUICK: { label: string; from: string; to: string }[] = [
  { label: "Last 1 minute", from: "now-1m", to: "now" },
  { label: "Last 5 minutes", from: "now-5m", to: "now" },
  { label: "Last 15 minutes", from: "now-15m", to: "now" },
  { label: "Last 30 minutes", from: "now-30m", to: "now" },
  { label: "Last 1 hour", from: "now-1h", to: "now" },
  { label: "Last 4 hours", from: "now-4h", to: "now" },
  { label: "Last 12 hours", from: "now-12h", to: "now" },
  { label: "Last 24 hours", from: "now-24h", to: "now" },
  { label: "Last 7 days", from: "now-7d", to: "now" },
  { label: "Last 30 days", from: "now-30d", to: "now" },
  { label: "Today", from: "now/d", to: "now/d" },
  { label: "Yesterday", from: "now-1d/d", to: "now-1d/d" },
  { label: "This week", from: "now/w", to: "now/w" },
  { label: "This month", from: "now/M", to: "now/M" },
];

const NAMES: Record<string, string> = { s: "second", m: "minute", h: "hour", H: "hour", d: "day", w: "week", M: "month", y: "year" };

/** A range in words: a quick range's name, `Last 90 seconds`, or its two ends. */
export function rangeLabel(from: string, to: string): string {
  const quick = QUICK.find((q) => q.from === from && q.to === to);
  if (quick) return quick.label;
  const last = /^now-(\d+)([smhHdwMy])$/.exec(from);
  if (last && to === "now") {
    const name = NAMES[last[2] ?? ""] ?? "";
    return `Last ${last[1] ?? ""} ${name}${last[1] === "1" ? "" : "s"}`;
  }
  const [first, second] = [endLabel(from), endLabel(to)];
  // A day is said once.
  const day = /^\d{4}-\d\d-\d\d /.exec(first)?.[0];
  return `${first} → ${day !== undefined && second.startsWith(day) ? second.slice(day.length) : second}`;
}

function endLabel(text: string): string {
  const ms = absolute(text);
  if (ms === null) return text;
  return ms % 1000 === 0 ? stamp(ms, false) : stamp(ms);
}

const STEPS: [number, string][] = [
  [1, "1ms"], [2, "2ms"], [5, "5ms"], [10, "10ms"], [20, "20ms"], [50, "50ms"], [100, "100ms"], [200, "200ms"], [500, "500ms"],
  [1e3, "1s"], [2e3, "2s"], [5e3, "5s"], [10e3, "10s"], [15e3, "15s"], [30e3, "30s"], [60e3, "1m"], [120e3, "2m"], [300e3, "5m"],
  [600e3, "10m"], [900e3, "15m"], [1800e3, "30m"], [3600e3, "1h"], [7200e3, "2h"], [10800e3, "3h"], [21600e3, "6h"], [43200e3, "12h"],
  [86400e3, "1d"], [172800e3, "2d"], [604800e3, "7d"], [1209600e3, "14d"], [2592000e3, "30d"], [7776000e3, "90d"], [31536000e3, "365d"],
];

/** The width of a histogram's bars. */
export interface Interval {
  ms: number;
  text: string;
}

/** The shortest round interval that makes at most `most` bars. */
export function interval(from: number, to: number, most = 80): Interval {
  const span = Math.max(1, to - from);
  const found = STEPS.find(([ms]) => span / ms <= most);
  if (found) return { ms: found[0], text: found[1] };
  const days = Math.ceil(span / most / 86400e3 / 365) * 365;
  return { ms: days * 86400e3, text: `${days}d` };
}

/** Starts of all bars from `from` to `to`; they lie on multiples of the interval after `shift`. */
export function starts(from: number, to: number, step: number, shift: number): number[] {
  const out: number[] = [];
  for (let at = Math.floor((from - shift) / step) * step + shift; at < to && out.length < 1000; at += step) out.push(at);
  return out;
}
