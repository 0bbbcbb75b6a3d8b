import { Dns } from "./views/Dns";
import { Ends } from "./views/Ends";
import { FlowView } from "./views/Flow";
import { Http } from "./views/Http";
import { Icmp } from "./views/Icmp";
import { Metric } from "./views/Metric";
import { Notes } from "./views/Notes";
import { Redis } from "./views/Redis";
import { Timing } from "./views/Timing";
import { Halves } from "./views/Halves";
import type { Row } from "./model";

/** An event as its protocol sees it. */
export function Protocol({ row, kind }: { row: Row; kind: string }) {
  if (kind === "metric") return <Metric row={row} />;
  return (
    <div class="protocol">
      <Notes row={row} />
      <Ends row={row} />
      <Body row={row} kind={kind} />
      <Timing row={row} />
    </div>
  );
}

function Body({ row, kind }: { row: Row; kind: string }) {
  switch (kind) {
    case "http":
      return <Http row={row} />;
    case "dns":
      return <Dns row={row} />;
    case "redis":
      return <Redis row={row} />;
    case "icmp":
      return <Icmp row={row} />;
    case "flow":
      return <FlowView row={row} />;
    default:
      return <Halves row={row} />;
  }
}
