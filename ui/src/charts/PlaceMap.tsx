import { LAND } from "./outline";
import type { Actions, PlaceData } from "./types";
import { formatValue } from "./unit";

/** Where events come from: circles on an outline of the land, their area the number. */
export function PlaceMap({ data, label, actions }: { data: PlaceData; label: string; actions: Actions }) {
  const top = Math.max(...data.places.map((p) => p.value), 1);
  const list = [...data.places].sort((a, b) => b.value - a.value);
  return (
    <svg class="map" viewBox="0 6 720 294" role="img" aria-label={`${label}: ${list.length} places`}>
      <path d={LAND} class="map-land" />
      {list.map((p) => {
        const pick = p.pick;
        return (
          <circle
            key={p.label}
            cx={(p.lon + 180) * 2}
            cy={(90 - p.lat) * 2}
            r={2.5 + Math.sqrt(p.value / top) * 14}
            class={pick ? "map-place pickable" : "map-place"}
            {...(pick ? { onClick: () => actions.pick(pick) } : {})}
          >
            <title>{`${p.label}: ${formatValue(p.value, "count")} events`}</title>
          </circle>
        );
      })}
    </svg>
  );
}
