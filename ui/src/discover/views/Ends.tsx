import { addFilter } from "../../core/state";
import { inert } from "../../core/format";
import { kindOf } from "../columns";
import type { Row } from "../model";
import { text, written } from "./parts";

/** Who spoke with whom, and how much each sent. */
export function Ends({ row }: { row: Row }) {
  if (!text(row, "source.ip") && !text(row, "destination.ip")) return null;
  const flow = kindOf(row) === "flow";
  return (
    <div class="ends">
      <End row={row} side="source" name={flow ? "Source" : "Client"} />
      <div class="ends-middle" aria-hidden="true">
        <span>{[text(row, "network.transport"), text(row, "network.type")].filter(Boolean).join(" · ")}</span>
        <svg viewBox="0 0 100 8" preserveAspectRatio="none" focusable="false">
          <path d="M0 4H99" vector-effect="non-scaling-stroke" />
        </svg>
        <span>{text(row, "observer.ingress.interface.name")}</span>
      </div>
      <End row={row} side="destination" name={flow ? "Destination" : "Server"} />
    </div>
  );
}

function End({ row, side, name }: { row: Row; side: "source" | "destination"; name: string }) {
  const ip = text(row, `${side}.ip`);
  const port = text(row, `${side}.port`);
  const domain = text(row, `${side}.domain`);
  const nat = text(row, `${side}.nat.ip`);
  const bytes = written(row, `${side}.bytes`);
  const packets = written(row, `${side}.packets`);
  return (
    <div class="end">
      <span class="end-name">{name}</span>
      {ip ? (
        <button type="button" class="end-ip mono" title={`Filter for ${side}.ip: ${ip}`} onClick={() => addFilter({ field: `${side}.ip`, op: "is", value: ip })}>
          {ip.includes(":") && port ? `[${ip}]` : ip}
          {port ? <span>:{port}</span> : null}
        </button>
      ) : (
        <span class="none">not known</span>
      )}
      {domain ? <bdi class="end-more">{inert(domain, 100)}</bdi> : null}
      {nat ? <span class="end-more">behind it {nat}</span> : null}
      {bytes || packets ? <span class="end-more">sent {[bytes, packets ? `${packets} packets` : ""].filter(Boolean).join(", ")}</span> : null}
    </div>
  );
}
