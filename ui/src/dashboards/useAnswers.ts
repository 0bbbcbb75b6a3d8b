import { useEffect, useState } from "preact/hooks";
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

/** Asks for all panels of a dashboard at once, again whenever the page's time, query, filters or tick change. */
export function useAnswers(d: Dashboard, again: number): Asked {
  const [state, setState] = useState<Asked>({ answers: null, busy: true, error: null });
  const now = [d.id, tick.value, time.value, query.value, language.value, filters.value, again];
  useEffect(() => {
    const abort = new AbortController();
    const range = bounds();
    const frame = frameOf(range.from, range.to);
    setState((s) => ({ ...s, answers: s.answers?.id === d.id ? s.answers : null, busy: true }));
    const run = async () => {
      const fields = d.panels.some((p) => p.optional) ? await fieldsOf(d.index).catch(() => new Set<string>()) : new Set<string>();
      const asked = items(d, frame, esQuery, (f) => fields.has(f));
      const responses = await msearch(asked.items, abort.signal);
      const panels = new Map<string, PanelAnswer>();
      for (const p of d.panels) if (!asked.panels.includes(p)) panels.set(p.id, { total: 0, absent: true });
      asked.panels.forEach((p, i) => panels.set(p.id, read(p, responses[i], frame)));
      return panels;
    };
    run().then(
      (panels) => {
        if (!abort.signal.aborted) setState({ answers: { id: d.id, frame, panels }, busy: false, error: null });
      },
      (e: unknown) => {
        if (!abort.signal.aborted) setState((s) => ({ ...s, busy: false, error: e instanceof Error ? e.message : String(e) }));
      },
    );
    return () => abort.abort();
  }, now);
  return state;
}
