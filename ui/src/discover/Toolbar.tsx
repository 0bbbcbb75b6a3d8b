import { useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { Popover } from "../app/Popover";
import { copy, say } from "../app/toast";
import { formatValue } from "../core/format";
import { live } from "../core/state";
import { exportAll, progress, type Format } from "./export";
import { toggleLive } from "./live";
import { failure, rows, shown, took, total } from "./model";
import { Saved } from "./Saved";

/** How many events, and what can be done with all of them. */
export function Toolbar({ openFields }: { openFields: () => void }) {
  const [open, setOpen] = useState<"" | "export" | "saved">("");
  const n = total.value;
  const close = () => setOpen("");
  const run = (format: Format) => {
    close();
    exportAll(format, shown.value).then(
      (done) => say(`${formatValue(done, "count")} events written`),
      (e: unknown) => {
        if (e instanceof DOMException && e.name === "AbortError") say("The export was stopped");
        else say(`The export failed: ${e instanceof Error ? e.message : String(e)}`, true);
      },
    );
  };
  const going = progress.value;
  return (
    <div class="toolbar">
      <button type="button" class="button fields-button" aria-label="Fields" title="Fields (f)" onClick={openFields}>
        <Icon name="fields" size={14} /> <span>Fields</span>
      </button>
      <p class="hits" title={n === null ? "" : `Counted exactly, in ${formatValue(took.value, "ms")}`}>
        <b id="hits" data-total={n ?? ""}>
          {n === null ? "…" : formatValue(n, "count")}
        </b>{" "}
        {n === 1 ? "event" : "events"}
        {failure.value && !failure.value.query && rows.value.length ? <span class="warn"> · as of the last answer</span> : null}
      </p>
      {going ? (
        <span class="exporting" role="status">
          <progress max={Math.max(1, going.of)} value={going.done} aria-label="Export" />
          {formatValue(going.done, "count")} of {formatValue(going.of, "count")} written
          <button type="button" class="link-button" onClick={going.stop}>
            Stop
          </button>
        </span>
      ) : null}
      <div class="toolbar-end">
        <button type="button" class={live.value ? "button live on" : "button live"} aria-pressed={live.value} onClick={toggleLive} title="List events as they come in">
          <Icon name="live" size={15} /> <span>Live</span>
        </button>
        <div class="holder">
          <button type="button" class="button" aria-haspopup="dialog" aria-expanded={open === "saved"} aria-label="Saved searches" title="Saved searches" onClick={() => setOpen(open === "saved" ? "" : "saved")}>
            <Icon name="save" size={14} /> <span>Saved</span>
          </button>
          {open === "saved" ? <Saved close={close} /> : null}
        </div>
        <button type="button" class="button" aria-label="Copy the link" title="Copy a link to this view" onClick={() => void copy(location.href, "Link")}>
          <Icon name="link" size={14} /> <span>Link</span>
        </button>
        <div class="holder">
          <button type="button" class="button" aria-haspopup="dialog" aria-expanded={open === "export"} aria-label="Export" title="Export all events of the result" disabled={going !== null || !n} onClick={() => setOpen(open === "export" ? "" : "export")}>
            <Icon name="download" size={14} /> <span>Export</span>
          </button>
          {open === "export" ? (
            <Popover label="Export" side="right" close={close}>
              <div class="menu">
                <p class="menu-note">All {n === null ? "" : formatValue(n, "count")} events, no limit</p>
                <button type="button" onClick={() => run("csv")}>
                  <Icon name="download" /> CSV, the columns shown
                </button>
                <button type="button" onClick={() => run("ndjson")}>
                  <Icon name="download" /> NDJSON, whole events
                </button>
              </div>
            </Popover>
          ) : null}
        </div>
      </div>
    </div>
  );
}
