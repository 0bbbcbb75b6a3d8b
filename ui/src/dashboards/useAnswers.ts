import { useEffect, useRef, useState } from "preact/hooks";
import { fieldCaps, msearch } from "../core/es";
import { bounds, esQuery, filters, language, query, tick, time } from "../core/state";
import { items, read, type PanelAnswer } from "./answers";
import { frameOf } from "./frame";
import type { Frame } from "./request";
import type { Dashboard } from "./types";

export interface Answers {
  id: string;
  frame: Frame;
  panels: Map<string, PanelAnswer>;
}

export interface Asked {
  /** The newest answers; older ones stay until they come. */
  answers: Answers | null;
  busy: boolean;
  error: string | null;
}

const known = new Map<string, Promise<Set<string>>>();

/** Fields of an index pattern, asked for once a minute at most. */
function fieldsOf(index: string): Promise<Set<string>> {
  const seen = known.get(index);
  if (seen) return seen;
  const asked = fieldCaps(index).then((caps) => new Set(Object.keys(caps.fields)));
  known.set(index, asked);
  const again = () => known.delete(index);
  asked.catch(again);
  setTimeout(again, 60_000);
  return asked;
}

/** The answers of all panels. */
async function ask(d: Dashboard, frame: Frame, signal: AbortSignal): Promise<Map<string, PanelAnswer>> {
  const fields = d.panels.some((p) => p.optional) ? await fieldsOf(d.index).catch(() => new Set<string>()) : new Set<string>();
  const asked = items(d, frame, esQuery, (f) => fields.has(f));
  const responses = await msearch(asked.items, signal);
  const panels = new Map<string, PanelAnswer>();
  for (const p of d.panels) if (!asked.panels.includes(p)) panels.set(p.id, { total: 0, absent: true });
  asked.panels.forEach((p, i) => panels.set(p.id, read(p, responses[i], frame)));
  return panels;
}

interface Request {
  key: string;
  abort: AbortController;
  done: boolean;
}

/** Asks for all panels of a dashboard in one request, again whenever the page's time, query, filters or tick change.
 * A change ends the request that is under way; a mere refresh waits for it, so that a slow store answers at all. */
export function useAnswers(d: Dashboard, again: number): Asked {
  const [state, setState] = useState<Asked>({ answers: null, busy: true, error: null });
  const running = useRef<Request | null>(null);
  const key = JSON.stringify([d.id, time.value, query.value, language.value, filters.value, again]);
  useEffect(() => {
    const old = running.current;
    if (old && !old.done && old.key === key) return;
    old?.abort.abort();
    const request: Request = { key, abort: new AbortController(), done: false };
    running.current = request;
    const range = bounds();
    const frame = frameOf(range.from, range.to);
    setState((s) => ({ ...s, answers: s.answers?.id === d.id ? s.answers : null, busy: true }));
    const finish = (change: (s: Asked) => Asked) => {
      request.done = true;
      if (!request.abort.signal.aborted) setState(change);
    };
    ask(d, frame, request.abort.signal).then(
      (panels) => finish(() => ({ answers: { id: d.id, frame, panels }, busy: false, error: common(panels) })),
      (e: unknown) => finish((s) => ({ ...s, busy: false, error: e instanceof Error ? e.message : String(e) })),
    );
  }, [key, tick.value]);
  useEffect(() => () => running.current?.abort.abort(), []);
  return state;
}

/** The error that every panel has, such as a query that does not parse. */
function common(panels: Map<string, PanelAnswer>): string | null {
  const asked = [...panels.values()].filter((p) => !p.absent);
  const first = asked[0]?.error;
  return first !== undefined && asked.every((p) => p.error === first) ? first : null;
}
