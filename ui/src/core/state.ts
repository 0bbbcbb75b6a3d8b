// What the pages have in common: time, query, filters and the rest, as signals that the address follows.
import { batch, computed, effect, signal, type Signal } from "@preact/signals";
import { clause, same, type Filter } from "./filter";
import { fields } from "./fields";
import { fault } from "./es";
import { onArrival, path } from "./route";
import { parse } from "./time";
import { decode, DEFAULTS, encode, type Language, type Sort, type State, type TimeRange } from "./url";

export type { Filter } from "./filter";
export type { State, TimeRange } from "./url";

/** The range when nothing names one. */
export const DEFAULT_TIME = DEFAULTS.time;
const first: State = { ...DEFAULTS, ...decode(location.search) };
export const index: Signal<string> = signal(first.index);
export const time: Signal<TimeRange> = signal(first.time);
export const query: Signal<string> = signal(first.query);
export const language: Signal<Language> = signal(first.language);
export const filters: Signal<Filter[]> = signal(first.filters);
export const refresh: Signal<number> = signal(first.refresh);
export const columns: Signal<string[]> = signal(first.columns);
export const sort: Signal<Sort> = signal(first.sort);
export const breakdown: Signal<string> = signal(first.breakdown);
export const live: Signal<boolean> = signal(first.live);
export const doc: Signal<string> = signal(first.doc);
/** Goes up at each refresh. */
export const tick: Signal<number> = signal(0);
/** Why refreshing waits: the reader stopped it, points at the list, or has text selected. */
export const paused = signal(false);
export const held = signal(false);

function state(): State {
  return {
    index: index.value,
    time: time.value,
    query: query.value,
    language: language.value,
    filters: filters.value,
    refresh: refresh.value,
    columns: columns.value,
    sort: sort.value,
    breakdown: breakdown.value,
    live: live.value,
    doc: doc.value,
  };
}

/** Takes over a state; what it does not name stays as it is by default. */
export function adopt(change: Partial<State>): void {
  const s = { ...DEFAULTS, ...change };
  batch(() => {
    index.value = s.index;
    if (JSON.stringify(time.value) !== JSON.stringify(s.time)) time.value = s.time;
    query.value = s.query;
    language.value = s.language;
    if (JSON.stringify(filters.value) !== JSON.stringify(s.filters)) filters.value = s.filters;
    refresh.value = s.refresh;
    if (columns.value.join() !== s.columns.join()) columns.value = s.columns;
    if (sort.value.field !== s.sort.field || sort.value.order !== s.sort.order) sort.value = s.sort;
    breakdown.value = s.breakdown;
    live.value = s.live;
    doc.value = s.doc;
  });
}

/** The state as the part of an address after `?`. */
export function address(): string {
  return encode(state());
}

/** The filter's field and value are asked for, or no longer asked for. The same filter twice is one. */
export function addFilter(f: Filter): void {
  const there = filters.value.findIndex((g) => same(f, g));
  if (there < 0) filters.value = [...filters.value, f];
  else filters.value = filters.value.map((g, i) => (i === there ? { ...g, negate: f.negate === true, disabled: false } : g));
}

export function removeFilter(i: number): void {
  filters.value = filters.value.filter((_, j) => j !== i);
}

export function changeFilter(i: number, change: Partial<Filter>): void {
  filters.value = filters.value.map((f, j) => (i === j ? { ...f, ...change } : f));
}

const frozen = computed(() => {
  const now = tick.value < 0 ? 0 : Date.now();
  const { from, to } = time.value;
  const b = parse(to, now, true) ?? now;
  const a = parse(from, now) ?? b - 900e3;
  return a <= b ? { from: a, to: b } : { from: b, to: a };
});

/** The time range in ms, with "now" as it was at the last refresh or change. */
export function bounds(): { from: number; to: number } {
  return frozen.value;
}

/** Whether the range ends now, so that new events may come into it. */
export const following = computed(() => time.value.to.startsWith("now"));

/** Filters and query, without the time. */
export function clauses(without?: string): object[] {
  const out: object[] = [];
  if (query.value.trim() !== "") {
    out.push(language.value === "kuery" ? { kql: { query: query.value } } : { query_string: { query: query.value } });
  }
  for (const f of filters.value) if (!f.disabled && f.field !== without) out.push(clause(f, fields.value.get(f.field)?.type));
  return out;
}

export function timeClause(): object {
  const { from, to } = bounds();
  return { range: { "@timestamp": { gte: new Date(from).toISOString(), lte: new Date(to).toISOString() } } };
}

/** The query of any request: time, query and the filters that are on. */
export function esQuery(extra: object[] = []): object {
  return { bool: { filter: [timeClause(), ...clauses(), ...extra] } };
}

/** An address that keeps time, refresh and pinned filters. */
export function link(page: string, change: Partial<State> = {}): string {
  const kept: State = {
    ...DEFAULTS,
    time: time.value,
    refresh: refresh.value,
    filters: filters.value.filter((f) => f.pinned),
  };
  return `/${page.replace(/^\//, "")}?${encode({ ...kept, ...change })}`;
}

/** Lets the address follow the state and the state the address. */
export function bind(): void {
  // An address that was come to is put in order, not added to the history.
  let coming = true;
  onArrival(() => {
    coming = true;
    const found = decode(location.search);
    adopt(found.time ? found : { ...found, time: time.peek() });
  });
  effect(() => {
    const href = `${path.value}?${address()}`;
    const replace = coming;
    coming = false;
    if (path.value.startsWith("/doc/") || href === location.pathname + location.search) return;
    if (replace) history.replaceState(null, "", href);
    else history.pushState(null, "", href);
  });
  effect(() => {
    query.value;
    language.value;
    fault.value = null;
  });
  effect(() => {
    const every = refresh.value;
    if (every === 0) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden && !paused.peek() && !held.peek()) tick.value++;
    }, every);
    return () => clearInterval(timer);
  });
}
