// Which page is shown. Links within the program change it without loading anything.
import { batch, signal } from "@preact/signals";

export const path = signal(location.pathname);
/** What is done with an address that a link or going back led to, before its page is shown. */
let arrived = () => {};

export function onArrival(act: () => void): void {
  arrived = act;
}

export function go(href: string, replace = false): void {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  arrive();
}

function arrive(): void {
  batch(() => {
    arrived();
    path.value = location.pathname;
  });
}

export function listen(): void {
  addEventListener("popstate", arrive);
  document.addEventListener("click", (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = e.target instanceof Element ? e.target.closest("a") : null;
    if (!(a instanceof HTMLAnchorElement) || a.target || a.download || a.origin !== location.origin || a.hash) return;
    e.preventDefault();
    go(a.pathname + a.search);
    if (a.pathname !== location.pathname) scrollTo(0, 0);
  });
}
