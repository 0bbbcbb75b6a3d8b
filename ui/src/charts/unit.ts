// How a number with its unit is written in charts. Counts are written in full: they are compared with others.
import type { Unit } from "./types";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

function digits(v: number): string {
  const a = Math.abs(v);
  const places = a >= 100 || v === 0 ? 0 : a >= 10 ? 1 : 2;
  return new Intl.NumberFormat("en-US", { maximumFractionDigits: a > 0 && a < 0.01 ? 4 : places }).format(v);
}

function scaled(v: number, base: number, names: string[]): string {
  let x = v;
  let i = 0;
  while (Math.abs(x) >= base && i < names.length - 1) {
    x /= base;
    i++;
  }
  return `${i === 0 && Number.isInteger(x) ? WHOLE.format(x) : digits(x)} ${names[i] ?? ""}`.trim();
}

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function formatDuration(ns: number): string {
  const a = Math.abs(ns);
  if (a < 1e3) return `${digits(ns)} ns`;
  if (a < 1e6) return `${digits(ns / 1e3)} µs`;
  if (a < 1e9) return `${digits(ns / 1e6)} ms`;
  if (a < 60e9) return `${digits(ns / 1e9)} s`;
  if (a < 3600e9) return `${digits(ns / 60e9)} min`;
  if (a < 86400e9) return `${digits(ns / 3600e9)} h`;
  return `${digits(ns / 86400e9)} d`;
}

/** A value with its unit; `–` when there is none. */
export function formatValue(v: number | null | undefined, unit: Unit): string {
  if (v === null || v === undefined) return "–";
  switch (unit) {
    case "count":
      return Number.isInteger(v) ? WHOLE.format(v) : digits(v);
    case "bytes":
      return scaled(v, 1024, BYTES);
    case "bytes/s":
      return `${scaled(v, 1024, BYTES)}/s`;
    case "ns":
      return v === 0 ? "0 s" : formatDuration(v);
    case "ms":
      return v === 0 ? "0 s" : formatDuration(v * 1e6);
    case "fraction":
      return `${digits(v * 100)} %`;
    case "percent":
      return `${digits(v)} %`;
    case "per second":
      return `${digits(v)}/s`;
    case "number":
      return digits(v);
  }
}

/** The same for the ticks of an axis, where room is short. */
export function formatTick(v: number, unit: Unit): string {
  if (unit === "count" && Math.abs(v) >= 1e4) return scaled(v, 1000, ["", "k", "M", "G"]).replace(" ", "");
  return formatValue(v, unit);
}
