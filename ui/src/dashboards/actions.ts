import type { Actions, Pick } from "../charts/types";
import { addFilter, time } from "../core/state";

/** What a click in a chart does to the page. */
export const pageActions: Actions = {
  pick(filters: Pick, negate = false) {
    for (const f of filters) addFilter(negate ? { ...f, negate: !f.negate } : f);
  },
  range(from: number, to: number) {
    // The end of a range belongs to it.
    time.value = { from: new Date(from).toISOString(), to: new Date(Math.max(from, to - 1)).toISOString() };
  },
};
