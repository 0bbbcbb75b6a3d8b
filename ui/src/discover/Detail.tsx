import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { copy } from "../app/toast";
import { inertJson } from "../charts/inert";
import { get, type Hit } from "../core/es";
import { formatDuration } from "../core/format";
import { kindColour } from "../core/palette";
import { link, time } from "../core/state";
import { stampFull } from "../core/time";
import { kindOf, summary, valueAt } from "./columns";
import { DocTable } from "./DocTable";
import { LongText } from "./LongText";
import type { Row } from "./model";
import { Protocol } from "./Protocol";

type Tab = "view" | "table" | "json";
const KEY = "wirebeat.tab";

function keptTab(): Tab {
  const kept = localStorage.getItem(KEY);
  return kept === "table" || kept === "json" ? kept : "view";
}

const NAMES: Record<string, string> = { http: "HTTP", dns: "DNS", redis: "Redis", icmp: "ICMP", flow: "Flow", metric: "Metric" };

interface State {
  key: string;
  hit?: Hit;
  gone?: boolean;
  error?: string;
}

/** One event: what was said in its protocol, all fields, and the JSON. */
export function Detail({ index, id, tools }: { index: string; id: string; tools?: ComponentChildren }) {
  const [state, setState] = useState<State>({ key: "" });
  const [tab, setTab] = useState<Tab>(keptTab);
  const [again, setAgain] = useState(0);
  const key = `${index}/${id}`;
  useEffect(() => {
    const abort = new AbortController();
    get(index, id, abort.signal).then(
      (hit) => setState(hit ? { key, hit } : { key, gone: true }),
      (e: unknown) => {
        if (!abort.signal.aborted) setState({ key, error: e instanceof Error ? e.message : String(e) });
      },
    );
    return () => abort.abort();
  }, [key, again]);
  const choose = (t: Tab) => {
    setTab(t);
    localStorage.setItem(KEY, t);
  };
  const hit = state.hit;
  const row: Row | null = hit ? { id: hit._id, index: hit._index, source: hit._source ?? {}, sort: [] } : null;
  const kind = row ? kindOf(row) : "";
  const flow = row ? valueAt(row.source, "network.community_id") : undefined;
  const at = row ? Date.parse(String(valueAt(row.source, "@timestamp"))) : NaN;
  const tabs: [Tab, string][] = [
    ["view", NAMES[kind] ?? "Event"],
    ["table", "Table"],
    ["json", "JSON"],
  ];
  const arrow = (e: KeyboardEvent) => {
    const i = tabs.findIndex(([t]) => t === tab);
    const by = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? tabs.length - 1 : 0;
    const next = tabs[(i + by) % tabs.length];
    if (!by || !next) return;
    e.preventDefault();
    choose(next[0]);
    document.getElementById(`tab-${next[0]}`)?.focus();
  };
  return (
    <article class="detail">
      <header class="detail-head">
        <div class="detail-title">
          {row ? (
            <>
              <span class="kind">
                <span class="kind-dot" style={{ background: kindColour(kind) }} aria-hidden="true" />
                {NAMES[kind] ?? kind}
              </span>
              <h2 title={summary(row)}>
                <bdi>{summary(row)}</bdi>
              </h2>
            </>
          ) : (
            <h2>Event</h2>
          )}
        </div>
        <div class="detail-tools">{tools}</div>
      </header>
      {row ? (
        <p class="detail-time">
          <time>{Number.isNaN(at) ? "" : stampFull(at)}</time>
          {typeof valueAt(row.source, "event.duration") === "number" ? <span> · took {formatDuration(Number(valueAt(row.source, "event.duration")))}</span> : null}
        </p>
      ) : null}
      <div class="detail-links">
        {typeof flow === "string" ? (
          <a class="button" href={link("discover", { index: index.replace(/\d{4}\.\d{2}\.\d{2}$/, "*"), time: aroundTime(at), filters: [{ field: "network.community_id", op: "is", value: flow }] })}>
            <Icon name="flow" size={14} /> Same flow
          </a>
        ) : null}
        <a class="button" href={`/doc/${encodeURIComponent(index)}/${encodeURIComponent(id)}`} title="This event on a page of its own">
          <Icon name="link" size={14} /> Own page
        </a>
        {hit ? (
          <button type="button" class="button" onClick={() => void copy(JSON.stringify(hit._source, null, 2), "JSON")}>
            <Icon name="copy" size={14} /> Copy
          </button>
        ) : null}
      </div>
      <div class="tabs" role="tablist" aria-label="Ways to see the event">
        {tabs.map(([t, name]) => (
          <button key={t} id={`tab-${t}`} type="button" role="tab" aria-selected={tab === t} aria-controls="detail-body" tabIndex={tab === t ? 0 : -1} onClick={() => choose(t)} onKeyDown={arrow}>
            {name}
          </button>
        ))}
      </div>
      <div class="detail-body" id="detail-body" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0} aria-busy={state.key !== key} key={key}>
        {state.error ? (
          <div class="empty failed" role="alert">
            <h3>The event could not be read</h3>
            <p>{state.error}</p>
            <button type="button" class="button main" onClick={() => setAgain(again + 1)}>
              Try again
            </button>
          </div>
        ) : state.gone ? (
          <div class="empty">
            <h3>This event is no longer kept</h3>
            <p>Events go when they are older than the retention, or when room is short.</p>
          </div>
        ) : row && hit ? (
          tab === "view" ? (
            <Protocol row={row} kind={kind} />
          ) : tab === "table" ? (
            <DocTable row={row} />
          ) : (
            <LongText class="json" text={inertJson({ _index: hit._index, _id: hit._id, _source: hit._source })} />
          )
        ) : null}
      </div>
    </article>
  );
}

/** The page's time, or an hour around an event that lies outside. */
function aroundTime(at: number) {
  return Number.isNaN(at) ? time.value : { from: new Date(at - 3_600_000).toISOString(), to: new Date(at + 3_600_000).toISOString() };
}
