import { useEffect, useState } from "preact/hooks";
import { tick } from "../core/state";
import { get } from "./call";

const EVERY = 5_000;

export interface Status {
  value: unknown;
  error: string | null;
  /** When it was read, ms. */
  at: number;
}

/** `/_ui/status`, read again at each refresh and every five seconds while the page is seen. */
export function useStatus(): Status {
  const [state, setState] = useState<Status>({ value: undefined, error: null, at: 0 });
  useEffect(() => {
    const abort = new AbortController();
    const read = () => {
      if (document.hidden) return;
      get("/_ui/status", abort.signal).then(
        (value) => setState({ value, error: null, at: Date.now() }),
        (e: unknown) => {
          if (!abort.signal.aborted) setState((s) => ({ ...s, error: e instanceof Error ? e.message : String(e) }));
        },
      );
    };
    read();
    const timer = setInterval(read, EVERY);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [tick.value]);
  return state;
}
