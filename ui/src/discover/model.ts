// What Discover asks and what it got: events, their number, the bars.
import { batch, computed, signal } from "@preact/signals";
import { EsError, search, type Hit, type SearchResponse } from "../core/es";
import { fields } from "../core/fields";
import { bounds, breakdown, columns, esQuery, index, live, sort } from "../core/state";
import { interval, starts } from "../core/time";
import type { TimeData } from "../charts/types";
import { defaultColumns, wanted } from "./columns";

export interface Row {
  id: string;
  index: string;
  source: Record<string, unknown>;
  sort: unknown[];
}

export interface Failure {
  title: string;
  text: string;
  query: boolean;
}

export const rows = signal<Row[]>([]);
/** Events that match, exactly; null before the first answer. */
export const total = signal<number | null>(null);
export const bars = signal<TimeData | null>(null);
/** Why the bars are not divided, when they should be. */
export const undivided = signal("");
export const kinds = signal<string[]>([]);
export const busy = signal(false);
export const failure = signal<Failure | null>(null);
export const took = signal(0);
/** Whether there are events after the last row, and whether they are on their way. */
export const more = signal(false);
export const narrow = signal(innerWidth < 700);
addEventListener("resize", () => (narrow.value = innerWidth < 700));

export const shown = computed(() => (columns.value.length ? columns.value : defaultColumns(kinds.value, narrow.value)));

const FIRST = 100;
const PAGE = 500;
/** Rows that are kept; who wants more narrows the time or exports. */
export const MOST = 20_000;
const DIVIDED = 6;

export function toRow(hit: Hit): Row {
  return { id: hit._id, index: hit._index, source: hit._source ?? {}, sort: hit.sort ?? [] };
}

/** How Elasticsearch is asked to sort; ties are broken, so that pages do not overlap. */
export function sorting(tie = "_doc"): object[] {
  const { field, order } = sort.value;
  const first = field === "_score" ? { _score: order } : { [field]: { order, missing: "_last", unmapped_type: "keyword" } };
  return field === tie ? [first] : [first, { [tie]: order }];
}

interface Bucket {
  key: unknown;
  key_as_string?: string;
  doc_count: number;
  at?: { buckets: Bucket[] };
}

function buckets(answer: SearchResponse, name: string): Bucket[] {
  return (answer.aggregations?.[name] as { buckets?: Bucket[] } | undefined)?.buckets ?? [];
}

/** The bars of the page's time: their interval and where days begin. */
export function frame(): { from: number; to: number; step: number; text: string; shift: number } {
  const { from, to } = bounds();
  const { ms, text } = interval(from, to);
  const shift = ms >= 3600e3 ? new Date(from).getTimezoneOffset() * 60e3 : 0;
  return { from, to, step: ms, text, shift: ((shift % ms) + ms) % ms };
}

function aggregations(): object {
  const f = frame();
  const at = { date_histogram: { field: "@timestamp", fixed_interval: f.text, offset: `+${f.shift}ms`, min_doc_count: 1 } };
  const divide = dividing();
  return {
    at,
    kinds: { terms: { field: "type", size: 10 } },
    ...(divide ? { by: { terms: { field: divide, size: DIVIDED }, aggs: { at } } } : {}),
  };
}

/** The field that divides the bars, if the indices have it. */
export function dividing(): string {
  const f = breakdown.value;
  if (f === "") return "";
  const info = fields.value.get(f);
  return info === undefined ? "" : info.aggregatable ? f : "";
}

function readBars(answer: SearchResponse): TimeData {
  const f = frame();
  const at = starts(f.from, f.to + 1, f.step, f.shift);
  const place = new Map(at.map((t, i) => [t, i]));
  const counts = (list: Bucket[]) => {
    const out = new Array<number>(at.length).fill(0);
    for (const b of list) {
      const i = place.get(Number(b.key));
      if (i !== undefined) out[i] = b.doc_count;
    }
    return out;
  };
  const all = counts(buckets(answer, "at"));
  const by = buckets(answer, "by");
  const field = dividing();
  const whole = { kind: "time" as const, at, step: f.step, series: [{ label: "events", unit: "count" as const, values: all }] };
  undivided.value = "";
  if (by.length === 0) return whole;
  const series = by.map((b) => ({
    label: String(b.key_as_string ?? b.key),
    unit: "count" as const,
    values: counts(b.at?.buckets ?? []) as (number | null)[],
    pick: [{ field, op: "is" as const, value: b.key_as_string === "true" || b.key_as_string === "false" ? b.key_as_string === "true" : b.key }],
  }));
  const rest = all.map((n, i) => n - series.reduce((sum, s) => sum + (s.values[i] ?? 0), 0));
  if (rest.some((n) => n < 0)) {
    undivided.value = `not divided by ${field}: an event may have several`;
    return whole;
  }
  if (rest.some((n) => n > 0)) return { ...whole, series: [...series, { label: "other or none", unit: "count", values: rest, rest: true }] };
  return { ...whole, series };
}

function says(e: unknown): Failure {
  if (e instanceof EsError) {
    const query = e.status === 400 && (e.offset !== undefined || /pars|query_shard/.test(e.type));
    return { title: query ? "The query cannot be read" : "The search failed", text: e.message, query };
  }
  return { title: "wirebeat does not answer", text: "The search is tried again as soon as it does.", query: false };
}

let running: AbortController | null = null;

/** Asks for everything the page shows. An older question is given up. */
export function ask(): void {
  running?.abort();
  const abort = new AbortController();
  running = abort;
  const following = live.peek();
  busy.value = true;
  const body = {
    size: following ? 0 : FIRST,
    track_total_hits: true,
    query: esQuery(),
    ...(following ? {} : { sort: sorting(), _source: wanted(columns.value) }),
    aggs: aggregations(),
  };
  search(index.value, body, abort.signal).then(
    (answer) => {
      if (abort.signal.aborted) return;
      batch(() => {
        const found = answer.hits.hits.map(toRow);
        total.value = answer.hits.total?.value ?? found.length;
        bars.value = readBars(answer);
        const list = buckets(answer, "kinds").map((b) => String(b.key));
        kinds.value = list.length ? list : total.value > 0 ? ["metric"] : [];
        took.value = answer.took;
        failure.value = null;
        busy.value = false;
        if (!following) {
          rows.value = found;
          more.value = found.length < total.value;
        }
      });
    },
    (e: unknown) => {
      if (abort.signal.aborted) return;
      batch(() => {
        busy.value = false;
        failure.value = says(e);
      });
    },
  );
}

let paging = false;

/** The next rows, when the reader comes near the end of those that are there. */
export async function askMore(): Promise<void> {
  const last = rows.value.at(-1);
  if (paging || !more.value || live.value || !last || rows.value.length >= MOST) return;
  paging = true;
  const began = running;
  try {
    const body = { size: PAGE, track_total_hits: false, query: esQuery(), sort: sorting(), _source: wanted(columns.value), search_after: last.sort };
    const answer = await search(index.value, body, began?.signal);
    if (running !== began) return;
    const known = new Set(rows.value.slice(-PAGE).map((r) => r.id));
    const found = answer.hits.hits.map(toRow);
    batch(() => {
      rows.value = [...rows.value, ...found.filter((r) => !known.has(r.id))];
      more.value = found.length === PAGE;
    });
  } catch (e) {
    if (running === began && !(e instanceof DOMException)) more.value = false;
  } finally {
    paging = false;
  }
}
