import { useState } from "preact/hooks";
import { Dialog } from "../app/Dialog";
import { inert } from "../charts/inert";
import { formatValue } from "../charts/unit";
import { remove } from "./change";
import type { IndexRow } from "./indices";

/** Asks for the index's name before it is deleted. */
export function DeleteIndex({ row, close }: { row: IndexRow; close: (gone: boolean) => void }) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (typed !== row.name || busy) return;
    setBusy(true);
    setError(null);
    try {
      await remove(row.name);
      close(true);
    } catch (e) {
      setError(e instanceof Error ? e.message : String(e));
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Delete ${inert(row.name)}?`} close={() => close(false)}>
      <form class="form" onSubmit={(e) => void submit(e)}>
        <p>
          {formatValue(row.documents, "count")} events, {formatValue(row.bytes, "bytes")}. They are gone for good.
        </p>
        <label>
          Type the name of the index to delete it
          <input type="text" class="input mono" value={typed} autocomplete="off" spellcheck={false} onInput={(e) => setTyped(e.currentTarget.value)} />
        </label>
        {error !== null ? (
          <p class="ask-error" role="alert">
            {error}
          </p>
        ) : null}
        <div class="form-tools">
          <button type="button" class="button" onClick={() => close(false)}>
            Keep it
          </button>
          <button type="submit" class="button danger-full" disabled={typed !== row.name || busy}>
            {busy ? "Deleting …" : "Delete the index"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
