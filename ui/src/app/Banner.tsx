import { online } from "../core/send";
import { status } from "../core/status";
import { inert } from "../core/format";

/** What must be known on every page: the server is gone, or something is wrong with the capture. */
export function Banner() {
  if (!online.value) {
    return (
      <div class="banner error" role="alert">
        <b>wirebeat does not answer.</b> What you see is what was read last. It is tried again every two seconds.
      </div>
    );
  }
  const notes = (status.value?.capture?.notes ?? []).filter((n) => n.level === "error");
  if (notes.length === 0) return null;
  return (
    <div class="banner error" role="alert">
      {notes.slice(0, 2).map((n) => (
        <div key={n.text}>{inert(n.text, 300)}</div>
      ))}
    </div>
  );
}
