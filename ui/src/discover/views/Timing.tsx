import { formatDuration } from "../../core/format";
import { stampFull } from "../../core/time";
import type { Row } from "../model";
import { number, Section, text } from "./parts";

/** When it began and ended; how the time divides into waiting and the answer's coming. */
export function Timing({ row }: { row: Row }) {
  const whole = number(row, "event.duration");
  const start = Date.parse(text(row, "event.start"));
  const end = Date.parse(text(row, "event.end"));
  if (whole === null && Number.isNaN(start) && Number.isNaN(end)) return null;
  const answer = number(row, "http.response.duration");
  const waiting = whole !== null && answer !== null && answer <= whole ? whole - answer : null;
  const handshake = number(row, "flow.tcp.handshake_rtt");
  return (
    <Section title="Timing">
      {whole !== null && whole > 0 && waiting !== null ? (
        <div class="bar-parts" role="img" aria-label={`Until the answer began ${formatDuration(waiting)}, the answer ${formatDuration(answer ?? 0)}`}>
          <span class="wait" style={{ flexGrow: Math.max(0.02, waiting / whole) }} />
          <span class="come" style={{ flexGrow: Math.max(0.02, (answer ?? 0) / whole) }} />
        </div>
      ) : null}
      <dl class="times">
        {waiting !== null ? <Time name="Until the answer began" value={formatDuration(waiting)} swatch="wait" /> : null}
        {answer !== null ? <Time name="The answer’s coming" value={formatDuration(answer)} swatch="come" /> : null}
        {handshake !== null ? <Time name="Handshake, one round trip" value={formatDuration(handshake)} /> : null}
        {whole !== null ? <Time name="In all" value={whole === 0 ? "0 s" : formatDuration(whole)} /> : null}
        {Number.isNaN(start) ? null : <Time name="Began" value={stampFull(start)} title={text(row, "event.start")} />}
        {Number.isNaN(end) ? null : <Time name="Ended" value={stampFull(end)} title={text(row, "event.end")} />}
      </dl>
    </Section>
  );
}

function Time({ name, value, swatch, title }: { name: string; value: string; swatch?: string; title?: string }) {
  return (
    <div>
      <dt>
        {swatch ? <span class={`part-swatch ${swatch}`} aria-hidden="true" /> : null}
        {name}
      </dt>
      <dd title={title ?? ""}>{value}</dd>
    </div>
  );
}
