// Live tail: what comes into the store is listed at the top, in the order in which it came.
import { batch, signal } from "@preact/signals";
import { search } from "../core/es";
import { clauses, columns, index, live, paused, tick } from "../core/state";
import { wanted } from "./columns";
import { rows, toRow, type Row } from "./model";

/** Rows that are kept; older ones fall out. */
export const KEPT = 1_000;
/** Events that one look lists at most. */
const LOOK = 500;
const EVERY = 1_000;
const BARS = 5_000;

/** Rows that came while the list is paused or the reader is further down. */
export const waiting = signal<Row[]>([]);
/** How many came since, also those that are no longer kept. */
export const came = signal(0);
/** Events of the last look, and how many of them are listed. */
export const sample = signal<{ of: number; listed: number } | null>(null);
export const lost = signal(false);
/** Whether the top of the list is in sight: only then it moves. */
export const atTop = signal(true);

async function newest(signal: AbortSignal): Promise<number> {
  const answer = await search(index.peek(), { size: 1, track_total_hits: false, _source: false, sort: [{ _seq_no: "desc" }], query: { match_all: {} } }, signal);
  return Number(answer.hits.hits[0]?.sort?.[0] ?? -1);
}

/** Follows the store until the answer is called. */
export function follow(): () => void {
  const abort = new AbortController();
  let after: number | null = null;
  let barsAt = Date.now();
  let timer = 0;
  batch(() => {
    rows.value = [];
    waiting.value = [];
    came.value = 0;
    sample.value = null;
    lost.value = false;
  });
  const look = async () => {
    try {
      if (after === null) {
        const top = await newest(abort.signal);
        after = Math.max(-1, top - 100);
      }
      const query = { bool: { filter: [{ range: { _seq_no: { gt: after } } }, ...clauses()] } };
      const body = { size: LOOK, track_total_hits: true, sort: [{ _seq_no: "desc" }], _source: wanted(columns.peek()), query };
      const answer = await search(index.peek(), body, abort.signal);
      const found = answer.hits.hits.map(toRow);
      const first = found[0]?.sort[0];
      if (typeof first === "number") after = first;
      const of = answer.hits.total?.value ?? found.length;
      batch(() => {
        lost.value = false;
        sample.value = { of, listed: found.length };
        if (found.length) add(found, of);
      });
      if (Date.now() - barsAt > BARS && !paused.peek()) {
        barsAt = Date.now();
        tick.value++;
      }
    } catch {
      if (!abort.signal.aborted) lost.value = true;
    }
    if (!abort.signal.aborted) timer = window.setTimeout(() => void look(), EVERY);
  };
  void look();
  return () => {
    abort.abort();
    clearTimeout(timer);
  };
}

function add(found: Row[], of: number): void {
  if (paused.peek() || !atTop.peek()) {
    waiting.value = [...found, ...waiting.peek()].slice(0, KEPT);
    came.value += of;
  } else {
    rows.value = [...found, ...rows.peek()].slice(0, KEPT);
  }
}

/** Lists what waits. */
export function takeWaiting(): void {
  batch(() => {
    rows.value = [...waiting.value, ...rows.value].slice(0, KEPT);
    waiting.value = [];
    came.value = 0;
  });
}

export function toggleLive(): void {
  paused.value = false;
  live.value = !live.value;
}
