import { Columns } from "./Columns";
import { DataTable } from "./DataTable";
import { Donut } from "./Donut";
import { Figures } from "./Figures";
import { HBars } from "./HBars";
import { HeatMap } from "./HeatMap";
import { PlaceMap } from "./PlaceMap";
import { TimeSeries } from "./TimeSeries";
import { isEmpty, twin, type Times } from "./twin";
import type { Actions, Data, Loss } from "./types";

interface Props {
  data: Data;
  /** How a series over time is drawn, and slices without a scale. */
  kind: string;
  stack?: boolean;
  label: string;
  height: number;
  loss: Loss[];
  /** As a table instead. */
  table: boolean;
  empty: string;
  actions: Actions;
  times: Times;
}

/** Any chart, or its table. */
export function Chart({ data, kind, stack, label, height, loss, table, empty, actions, times }: Props) {
  if (isEmpty(data)) return <p class="chart-empty">{empty}</p>;
  if (table || data.kind === "table") return <DataTable data={twin(data, times.full)} label={label} actions={actions} />;
  switch (data.kind) {
    case "time": {
      const mode = kind === "bars" || kind === "area" ? kind : "line";
      return <TimeSeries data={data} mode={mode} stack={stack ?? false} label={label} height={height} loss={loss} actions={actions} times={times} />;
    }
    case "slices":
      if (data.scale) return <Columns data={data} label={label} actions={actions} />;
      return kind === "donut" ? <Donut data={data} label={label} actions={actions} /> : <HBars data={data} label={label} actions={actions} />;
    case "grid":
      return <HeatMap data={data} label={label} height={height} actions={actions} times={times} />;
    case "figures":
      return <Figures data={data} label={label} actions={actions} />;
    case "places":
      return <PlaceMap data={data} label={label} actions={actions} />;
  }
}
