// Keys of the whole program. They do nothing while someone types, or while a dialog is open.
import { link } from "../core/state";
import { go } from "../core/route";
import { signal } from "@preact/signals";

export const helpOpen = signal(false);

type Action = (e: KeyboardEvent) => boolean | void;
const actions = new Map<string, Action[]>();

/** Binds a key while a page is shown; answers how to undo it. An action that answers false did nothing. */
export function bindKey(key: string, action: Action): () => void {
  const list = actions.get(key) ?? [];
  actions.set(key, [...list, action]);
  return () => actions.set(key, (actions.get(key) ?? []).filter((a) => a !== action));
}

/** The keys that the help shows. */
export const KEYS: { group: string; keys: [string, string][] }[] = [
  {
    group: "Everywhere",
    keys: [
      ["/", "Type a query"],
      ["t", "Choose the time"],
      ["r", "Refresh now"],
      ["p", "Pause or go on refreshing"],
      ["g d", "Go to Discover"],
      ["g o", "Go to the overview dashboard"],
      ["g l", "Go to the list of dashboards"],
      ["g i", "Go to the indices"],
      ["g c", "Go to the capture’s health"],
      ["?", "Show these keys"],
      ["Esc", "Close what is open"],
    ],
  },
  {
    group: "Discover",
    keys: [
      ["f", "Search the fields"],
      ["j / k", "Next or previous event"],
      ["h / l", "Cell to the left or right"],
      ["Enter", "Open the event"],
      ["+ / −", "Filter for or without the cell’s value"],
      ["c", "Copy the cell’s value"],
      ["y", "Same flow: all events of this connection"],
      ["[ / ]", "Column to the left or right, on a column’s name"],
    ],
  },
];

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

const PAGES: Record<string, string> = { d: "discover", o: "dashboards/overview", l: "dashboards", i: "indices", c: "capture" };
let leading = 0;

function key(e: KeyboardEvent): void {
  if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || document.querySelector("dialog[open]")) return;
  if (Date.now() - leading < 1500) {
    leading = 0;
    const page = PAGES[e.key];
    if (page !== undefined) {
      e.preventDefault();
      go(link(page));
      return;
    }
  }
  if (e.key === "g") {
    leading = Date.now();
    return;
  }
  if (e.key === "?") {
    helpOpen.value = true;
    e.preventDefault();
    return;
  }
  for (const action of [...(actions.get(e.key) ?? [])].reverse()) {
    if (action(e) === false) continue;
    e.preventDefault();
    return;
  }
}

export function listenKeys(): void {
  document.addEventListener("keydown", key);
}
