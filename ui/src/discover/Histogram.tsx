import { useState } from "preact/hooks";
import { DataTable } from "../charts/DataTable";
import { TimeSeries } from "../charts/TimeSeries";
import { twin } from "../charts/twin";
import { pageActions } from "../dashboards/actions";
import { within } from "../dashboards/loss";
import { pageTimes } from "../dashboards/times";
import { formatDuration } from "../core/format";
import { fields } from "../core/fields";
import { bounds, breakdown, link } from "../core/state";
import { offset } from "../core/time";
import { bars, narrow, undivided } from "./model";

const USUAL = ["status", "type", "network.protocol", "network.transport", "http.response.status_code", "dns.response_code", "source.ip", "destination.ip", "host.name", "container.name", "metricset.name"];

/** Events over time. Drag over it to narrow the time, click a bar to narrow to it. */
export function Histogram() {
  const [table, setTable] = useState(false);
  const data = bars.value;
  const { from, to } = bounds();
  const times = pageTimes(from, to);
  const loss = within(from, to);
  const all = [...fields.value.values()].filter((f) => f.aggregatable && !f.path && ["keyword", "ip", "boolean", "long"].includes(f.type)).map((f) => f.name);
  const usual = USUAL.filter((f) => f === breakdown.value || fields.value.has(f));
  const rest = all.filter((f) => !usual.includes(f));
  return (
    <section class="histogram" aria-label="Events over time">
      <div class="histogram-head">
        <label class="divide">
          <span>Divided by</span>
          <select class="input small" aria-label="Divided by" value={breakdown.value} onChange={(e) => (breakdown.value = e.currentTarget.value)}>
            <option value="">nothing</option>
            {usual.map((f) => (
              <option key={f} value={f}>
                {f}
              </option>
            ))}
            <optgroup label="Other fields">
              {rest.map((f) => (
                <option key={f} value={f}>
                  {f}
                </option>
              ))}
              {breakdown.value && !usual.includes(breakdown.value) && !rest.includes(breakdown.value) ? <option value={breakdown.value}>{breakdown.value}</option> : null}
            </optgroup>
          </select>
        </label>
        <span class="histogram-note">
          {loss.length ? (
            <a class="warn" href={link("capture")} title="Packets or events were lost where the bars are shaded: numbers there are too small.">
              What was lost
            </a>
          ) : null}
          {loss.length ? " · " : null}
          {undivided.value ? <span class="warn">{undivided.value} · </span> : null}
          {data ? `${formatDuration(data.step * 1e6)} a bar` : ""} · UTC{offset(to)}
        </span>
        <button type="button" class="link-button" aria-pressed={table} onClick={() => setTable(!table)}>
          {table ? "As bars" : "As a table"}
        </button>
      </div>
      <div class="histogram-plot">
        {data === null ? null : table ? (
          <div class="histogram-table">
            <DataTable data={twin(data, times.full)} label="Events over time" actions={pageActions} />
          </div>
        ) : (
          <TimeSeries data={data} mode="bars" stack label="Events over time" height={narrow.value ? 96 : 116} loss={loss} actions={pageActions} times={times} />
        )}
      </div>
    </section>
  );
}
