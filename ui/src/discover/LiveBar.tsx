import { paused } from "../core/state";
import { formatValue } from "../core/format";
import { atTop, came, KEPT, lost, sample, takeWaiting, waiting } from "./live";
import { rows } from "./model";
import { Icon } from "../app/icons";

/** What the live list does: follows, waits, or lists only a part. */
export function LiveBar() {
  const s = sample.value;
  const part = s !== null && s.of > s.listed && rows.value.length > 0;
  const still = paused.value || !atTop.value;
  const show = () => {
    document.getElementById("grid")?.scrollTo({ top: 0 });
    atTop.value = true;
    paused.value = false;
    takeWaiting();
  };
  return (
    <div class="live-bar">
      <button type="button" class="button" aria-pressed={paused.value} onClick={() => (paused.value ? show() : (paused.value = true))}>
        <Icon name={paused.value ? "play" : "pause"} size={13} /> {paused.value ? "Go on" : "Pause"}
      </button>
      <span class={`live-state${lost.value ? " error" : ""}`} role="status">
        {lost.value ? "wirebeat does not answer; trying again" : paused.value ? "Paused" : still ? "Waits while you are further down" : "Newest at the top, as they come in"}
        {` · the last ${formatValue(Math.min(KEPT, rows.value.length), "count")} are kept`}
      </span>
      {part && s ? (
        <span class="warn" title="More came in than can be listed. The bars and the number count all.">
          Sampled: {formatValue(s.listed, "count")} of {formatValue(s.of, "count")} of the last second are listed
        </span>
      ) : null}
      {waiting.value.length ? (
        <button type="button" class="button main" onClick={show}>
          Show {formatValue(came.value, "count")} new
        </button>
      ) : null}
    </div>
  );
}
