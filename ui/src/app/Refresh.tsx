import { useEffect, useState } from "preact/hooks";
import { held, live, paused, refresh, tick } from "../core/state";
import { Icon } from "./icons";
import { bindKey } from "./keys";

const EVERY: [number, string][] = [
  [0, "Off"],
  [1_000, "1 s"],
  [5_000, "5 s"],
  [10_000, "10 s"],
  [30_000, "30 s"],
  [60_000, "1 min"],
  [300_000, "5 min"],
  [900_000, "15 min"],
  [1_800_000, "30 min"],
  [3_600_000, "1 h"],
];

/** Refresh now, how often by itself, and a pause. */
export function Refresh() {
  const [turn, setTurn] = useState(0);
  const now = () => {
    tick.value++;
    setTurn((n) => n + 1);
  };
  useEffect(() => bindKey("r", now), []);
  useEffect(
    () =>
      bindKey("p", () => {
        if (refresh.value === 0 && !live.value) return false;
        paused.value = !paused.value;
        return true;
      }),
    [],
  );
  const on = refresh.value > 0;
  const waits = paused.value || held.value;
  return (
    <div class="refresh" role="group" aria-label="Refreshing">
      <button type="button" class="icon-button" aria-label="Refresh now" title="Refresh now (r)" onClick={now} key={turn}>
        <Icon name="refresh" />
      </button>
      <select
        class="input"
        aria-label="Refresh every"
        title="Refresh every"
        value={String(refresh.value)}
        onChange={(e) => {
          refresh.value = Number(e.currentTarget.value);
          paused.value = false;
        }}
      >
        {(EVERY.some(([ms]) => ms === refresh.value) ? EVERY : [...EVERY, [refresh.value, `${refresh.value / 1000} s`] as [number, string]]).map(([ms, label]) => (
          <option key={ms} value={String(ms)}>
            {label}
          </option>
        ))}
      </select>
      {on ? (
        <button
          type="button"
          class={waits ? "icon-button on" : "icon-button"}
          aria-pressed={paused.value}
          aria-label={paused.value ? "Go on refreshing" : "Pause refreshing"}
          title={paused.value ? "Go on refreshing (p)" : held.value ? "Waits while you read here" : "Pause refreshing (p)"}
          onClick={() => (paused.value = !paused.value)}
        >
          <Icon name={paused.value ? "play" : "pause"} />
        </button>
      ) : null}
    </div>
  );
}
