// When packets were lost: from what the status says, and from counters that rose between two looks at it.
import { effect, signal } from "@preact/signals";
import { status } from "../core/status";
import type { Loss } from "../charts/types";
import { moment, number, object } from "./answer";
import { formatValue } from "../charts/unit";

/** Times of loss, the newest last. */
export const losses = signal<Loss[]>([]);
const KEPT = 2000;
const STEP = 10_000;
/** Counters of the journal whose events are missing in the store; others of the parts after capture are no gaps. */
const JOURNAL = /^journal\.(events_refused|lost_to_quota|lost_to_damage)$/;

let before: { at: number; values: Map<string, number> } | undefined;

interface Counter {
  name: string;
  value: number;
  recent: unknown;
}

function counters(status: unknown): Counter[] {
  const list = object(object(status)["capture"])["loss"];
  if (!Array.isArray(list)) return [];
  return list.map(object).flatMap((l) => {
    const value = number(l["value"]);
    const name = String(l["name"]);
    return value === null || (name.includes(".") && !JOURNAL.test(name)) ? [] : [{ name, value, recent: l["recent"] }];
  });
}

/** Losses of the last hour as the status lists them: ends of steps of ten seconds, and how much. */
function told(c: Counter): Loss[] {
  if (!Array.isArray(c.recent)) return [];
  return c.recent.map(object).flatMap((r) => {
    const to = moment(r["t"]);
    const lost = number(r["n"]);
    return to === null || !lost ? [] : [loss(to - STEP, to, lost, c.name)];
  });
}

function loss(from: number, to: number, lost: number, name: string): Loss {
  return { from, to, lost, name, label: `${formatValue(lost, "count")} lost: ${name.replaceAll(/[_.]/g, " ")}` };
}

/** Takes note of a status that was read at `at` (ms). */
export function observe(status: unknown, at: number): void {
  const now = counters(status);
  const found = now.flatMap(told);
  if (before && !now.some((c) => Array.isArray(c.recent))) {
    for (const c of now) {
      const old = before.values.get(c.name);
      if (old !== undefined && c.value > old) found.push(loss(before.at, at, c.value - old, c.name));
    }
  }
  before = { at, values: new Map(now.map((c) => [c.name, c.value])) };
  if (!found.length) return;
  const known = new Set(losses.peek().map((l) => `${l.from} ${l.to} ${l.label}`));
  const fresh = found.filter((l) => !known.has(`${l.from} ${l.to} ${l.label}`));
  if (fresh.length) losses.value = [...losses.peek(), ...fresh].slice(-KEPT);
}

/** Forgets what was observed. */
export function forget(): void {
  before = undefined;
  losses.value = [];
}

/** Losses within a time, those that follow each other as one. */
export function within(from: number, to: number): Loss[] {
  const list = losses.value.filter((l) => l.from < to && l.to > from).sort((a, b) => a.from - b.from);
  const out: (Loss & { names: Set<string> })[] = [];
  for (const l of list) {
    const last = out.at(-1);
    if (last && l.from <= last.to + 1) {
      last.to = Math.max(last.to, l.to);
      last.lost += l.lost;
      last.names.add(l.name);
    } else out.push({ ...l, names: new Set([l.name]) });
  }
  return out.map(({ from, to, lost, names }) => loss(from, to, lost, [...names].join(", ")));
}

effect(() => {
  if (status.value !== null) observe(status.value, Date.now());
});
