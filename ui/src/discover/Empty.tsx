import { useEffect, useState } from "preact/hooks";
import { everything } from "../app/TimePicker";
import { say } from "../app/toast";
import { search } from "../core/es";
import { formatValue, inert } from "../core/format";
import { change } from "../core/send";
import { filters, index, link, query, tick, time } from "../core/state";
import { status } from "../core/status";
import { rangeLabel, stampFull } from "../core/time";
import { type Failure } from "./model";

interface Span {
  count: number;
  newest: number | null;
}

/** When nothing matches: what is the matter, and what to do next. */
export function Empty() {
  const [span, setSpan] = useState<Span | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    search(index.value, { size: 0, track_total_hits: true, aggs: { newest: { max: { field: "@timestamp" } } } }, abort.signal).then(
      (r) => setSpan({ count: r.hits.total?.value ?? 0, newest: (r.aggregations?.["newest"] as { value: number | null } | undefined)?.value ?? null }),
      () => undefined,
    );
    return () => abort.abort();
  }, [index.value, tick.value]);
  const narrowed = query.value !== "" || filters.value.some((f) => !f.disabled);
  if (!span) return <div class="empty" aria-busy="true" />;
  if (span.count === 0) return <NothingYet />;
  const newest = span.newest;
  return (
    <div class="empty">
      <h2>No events match</h2>
      <p>
        {rangeLabel(time.value.from, time.value.to)}
        {narrowed ? ", with this query and these filters," : ""} holds none of the {formatValue(span.count, "count")} events of <code>{index.value}</code>.
        {newest === null ? "" : ` The newest is of ${stampFull(newest)}.`}
      </p>
      <div class="empty-tools">
        {newest === null ? null : (
          <button type="button" class="button main" onClick={() => (time.value = { from: new Date(newest - 3_600_000).toISOString(), to: new Date(newest + 1).toISOString() })}>
            Go to the newest events
          </button>
        )}
        <button type="button" class="button" onClick={() => void everything((r) => (time.value = r))}>
          Show all times
        </button>
        {query.value ? (
          <button type="button" class="button" onClick={() => (query.value = "")}>
            Clear the query
          </button>
        ) : null}
        {filters.value.length ? (
          <button type="button" class="button" onClick={() => (filters.value = [])}>
            Remove the filters
          </button>
        ) : null}
      </div>
    </div>
  );
}

/** The store has no events of this pattern. */
function NothingYet() {
  const [loading, setLoading] = useState(false);
  const devices = (status.value?.capture?.devices ?? []).filter((d) => d.captured).map((d) => d.name);
  // Nothing at all is captured: one reason, not one a device.
  const stopped = status.value?.capture?.running === false ? (status.value.capture.notes ?? []).filter((n) => n.level === "error") : [];
  const missed = (status.value?.capture?.devices ?? []).filter((d) => d.captured === false && d.why);
  const demo = async () => {
    setLoading(true);
    try {
      const response = await change("POST", "/_ui/demo");
      if (!response.ok) throw new Error(`The demo could not be loaded (HTTP ${response.status})`);
      const answer = (await response.json()) as { events?: number; range?: { from: string | number; to: string | number } };
      if (answer.range) time.value = { from: new Date(answer.range.from).toISOString(), to: new Date(Number(new Date(answer.range.to)) + 1).toISOString() };
      say(`${formatValue(answer.events ?? 0, "count")} events of the demo are there`);
      tick.value++;
    } catch (e) {
      say(e instanceof Error ? e.message : String(e), true);
    }
    setLoading(false);
  };
  return (
    <div class="empty">
      <h2>No events yet</h2>
      <p>
        {devices.length ? `wirebeat watches ${devices.slice(0, 6).join(", ")}. As soon as something is asked and answered there, it is listed here.` : "Nothing has come into the store."}
      </p>
      {stopped.map((n) => (
        <p class="warn" key={n.text}>
          {inert(n.text, 1000)}
        </p>
      ))}
      {missed.length && !stopped.length ? (
        <ul class="missed">
          {missed.slice(0, 5).map((d) => (
            <li key={d.name}>
              <b>{d.name}</b> is not captured: {d.why}
            </li>
          ))}
        </ul>
      ) : null}
      {stopped.length ? null : (
        <>
          <p>Make some traffic, for example:</p>
          <pre class="sample">curl http://example.com/</pre>
        </>
      )}
      <div class="empty-tools">
        <button type="button" class="button main" disabled={loading} onClick={() => void demo()}>
          {loading ? "Loading …" : "Load a demo capture"}
        </button>
        <button type="button" class="button" onClick={() => tick.value++}>
          Look again
        </button>
        <a class="button" href={link("capture")}>
          What is captured
        </a>
      </div>
    </div>
  );
}

export function Failed({ failure }: { failure: Failure }) {
  return (
    <div class="empty failed" role={failure.query ? "status" : "alert"}>
      <h2>{failure.title}</h2>
      <p>{failure.text}</p>
      <div class="empty-tools">
        {failure.query ? (
          <button type="button" class="button main" onClick={() => document.getElementById("query")?.focus()}>
            Mend the query
          </button>
        ) : (
          <button type="button" class="button main" onClick={() => tick.value++}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}
