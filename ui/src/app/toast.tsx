import { signal } from "@preact/signals";

interface Toast {
  id: number;
  text: string;
  error: boolean;
}

const toasts = signal<Toast[]>([]);
let last = 0;

/** Says something for a few seconds, to eyes and to screen readers. */
export function say(text: string, error = false): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-2), { id, text, error }];
  setTimeout(() => (toasts.value = toasts.value.filter((t) => t.id !== id)), error ? 8000 : 3500);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div key={t.id} class={t.error ? "toast error" : "toast"}>
          {t.text}
        </div>
      ))}
    </div>
  );
}

/** Copies a text and says so. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say("The browser does not allow copying here", true);
  }
}
