import { useEffect, useState } from "preact/hooks";
import { search } from "../core/es";
import { bounds, index, time } from "../core/state";
import { absolute, offset, parse, QUICK, rangeLabel, stamp, stampFull, zoneName } from "../core/time";
import type { TimeRange } from "../core/url";
import { Icon } from "./icons";
import { bindKey } from "./keys";
import { Popover } from "./Popover";
import { say } from "./toast";

const KEY = "wirebeat.recent";
const RECENT = 8;

function recent(): TimeRange[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(value) ? value.filter((v): v is TimeRange => typeof v?.from === "string" && typeof v?.to === "string") : [];
  } catch {
    return [];
  }
}

function remember(range: TimeRange): void {
  if (QUICK.some((q) => q.from === range.from && q.to === range.to)) return;
  const rest = recent().filter((r) => r.from !== range.from || r.to !== range.to);
  localStorage.setItem(KEY, JSON.stringify([range, ...rest].slice(0, RECENT)));
}

/** The time range: quick, relative, absolute or one used before; always with the zone. */
export function TimePicker() {
  const [open, setOpen] = useState(false);
  useEffect(() => bindKey("t", () => setOpen(true)), []);
  useEffect(() => remember(time.value), [time.value]);
  const { from, to } = bounds();
  const shift = (by: number) => {
    const width = Math.max(1, to - from);
    time.value = { from: new Date(from + by * width).toISOString(), to: new Date(to + by * width).toISOString() };
  };
  const set = (range: TimeRange) => {
    time.value = range;
    setOpen(false);
  };
  const label = rangeLabel(time.value.from, time.value.to);
  return (
    <div class="time">
      <button type="button" class="icon-button joined-left" aria-label="Earlier by one range" title="Earlier" onClick={() => shift(-1)}>
        <Icon name="left" size={14} />
      </button>
      <button
        type="button"
        id="time-button"
        class="input time-button"
        aria-haspopup="dialog"
        aria-expanded={open}
        title={`${stampFull(from)}\n${stampFull(to)}`}
        onClick={() => setOpen(!open)}
      >
        <Icon name="clock" />
        <span class="time-label">{label}</span>
        <span class="time-zone">{offset(to)}</span>
      </button>
      <button type="button" class="icon-button joined-right" aria-label="Later by one range" title="Later" onClick={() => shift(1)}>
        <Icon name="right" size={14} />
      </button>
      {open ? (
        <Popover label="Time range" side="right" class="time-panel" close={() => setOpen(false)}>
          <Panel set={set} />
        </Popover>
      ) : null}
    </div>
  );
}

const UNITS: [string, string][] = [
  ["s", "seconds"],
  ["m", "minutes"],
  ["h", "hours"],
  ["d", "days"],
  ["w", "weeks"],
  ["M", "months"],
];

function Panel({ set }: { set: (range: TimeRange) => void }) {
  const last = /^now-(\d+)([smhdwM])$/.exec(time.value.from);
  const [amount, setAmount] = useState(last?.[1] ?? "15");
  const [unit, setUnit] = useState(last?.[2] ?? "m");
  const used = recent();
  const n = Number(amount);
  const valid = Number.isInteger(n) && n > 0 && n < 1e6;
  return (
    <div class="time-grid">
      <section>
        <h3>Quick</h3>
        <div class="quick">
          {QUICK.map((q) => (
            <button
              key={q.label}
              type="button"
              class="quick-item"
              {...(q.from === time.value.from && q.to === time.value.to ? { "aria-current": true, "data-first": true } : {})}
              onClick={() => set({ from: q.from, to: q.to })}
            >
              {q.label}
            </button>
          ))}
          <button type="button" class="quick-item" onClick={() => void everything(set)}>
            All events
          </button>
        </div>
      </section>
      <div class="time-side">
        <section>
          <h3>Relative</h3>
          <form
            class="relative"
            onSubmit={(e) => {
              e.preventDefault();
              if (valid) set({ from: `now-${n}${unit}`, to: "now" });
            }}
          >
            <span>Last</span>
            <input class="input" type="number" min="1" max="999999" value={amount} aria-label="How many" onInput={(e) => setAmount(e.currentTarget.value)} />
            <select class="input" value={unit} aria-label="Unit" onChange={(e) => setUnit(e.currentTarget.value)}>
              {UNITS.map(([u, name]) => (
                <option key={u} value={u}>
                  {name}
                </option>
              ))}
            </select>
            <button type="submit" class="button" disabled={!valid}>
              Set
            </button>
          </form>
        </section>
        <Absolute set={set} />
        {used.length ? (
          <section>
            <h3>Used before</h3>
            <ul class="used">
              {used.map((r) => (
                <li key={`${r.from} ${r.to}`}>
                  <button type="button" class="quick-item" title={`${r.from} to ${r.to}`} onClick={() => set(r)}>
                    {rangeLabel(r.from, r.to)}
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
      </div>
    </div>
  );
}

/** From and to as typed: a date with or without time, ISO 8601, or date math. */
function Absolute({ set }: { set: (range: TimeRange) => void }) {
  const { from, to } = bounds();
  const written = (text: string, ms: number) => (absolute(text) === null ? text : stamp(ms));
  const [a, setA] = useState(written(time.value.from, from));
  const [b, setB] = useState(written(time.value.to, to));
  const now = Date.now();
  const first = parse(a, now);
  const second = parse(b, now, true);
  const wrong = first === null ? "The beginning is no time." : second === null ? "The end is no time." : first > second ? "The end is before the beginning." : "";
  const value = (text: string, ms: number) => (text.trim().startsWith("now") ? text.trim() : new Date(ms).toISOString());
  const field = (name: string, text: string, change: (t: string) => void, ms: number | null) => (
    <label>
      <span>{name}</span>
      <input class="input mono" value={text} spellcheck={false} aria-invalid={ms === null} onInput={(e) => change(e.currentTarget.value)} />
      <button type="button" class="button" onClick={() => change("now")}>
        Now
      </button>
    </label>
  );
  return (
    <section>
      <h3>
        Absolute <small>{`${zoneName()}, ${offset(to)}`}</small>
      </h3>
      <form
        class="absolute"
        onSubmit={(e) => {
          e.preventDefault();
          if (first !== null && second !== null && !wrong) set({ from: value(a, first), to: value(b, second) });
        }}
      >
        {field("From", a, setA, first)}
        {field("To", b, setB, second)}
        <div class="absolute-end">
          <small class={wrong ? "wrong" : "quiet"} role="status">
            {wrong || "2026-11-25 08:30, an ISO time, or now-2h/h"}
          </small>
          <button type="submit" class="button main" disabled={wrong !== ""}>
            Set
          </button>
        </div>
      </form>
    </section>
  );
}

/** The range from the first to the last event of the pattern. */
export async function everything(set: (range: TimeRange) => void): Promise<void> {
  try {
    const aggs = { from: { min: { field: "@timestamp" } }, to: { max: { field: "@timestamp" } } };
    const found = (await search(index.value, { size: 0, track_total_hits: false, aggs })).aggregations as
      | { from?: { value: number | null }; to?: { value: number | null } }
      | undefined;
    const from = found?.from?.value;
    const to = found?.to?.value;
    if (typeof from !== "number" || typeof to !== "number") return say("There are no events yet");
    set({ from: new Date(Math.floor(from)).toISOString(), to: new Date(Math.floor(to) + 1).toISOString() });
  } catch (e) {
    say(e instanceof Error ? e.message : String(e), true);
  }
}
