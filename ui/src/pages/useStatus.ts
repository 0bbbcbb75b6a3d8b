import { useEffect, useState } from "preact/hooks";
import { online } from "../core/send";
import { status } from "../core/status";

const PATIENCE = 3_000;

export interface Status {
  value: unknown;
  error: string | null;
}

/** The newest `/_ui/status`, and what to say when there is none. */
export function useStatus(): Status {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE);
    return () => clearTimeout(timer);
  }, []);
  const value: unknown = status.value ?? undefined;
  if (!online.value) return { value, error: "wirebeat does not answer." };
  if (value === undefined && late) return { value, error: "The server does not tell it." };
  return { value, error: null };
}
