import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  label: string;
  close: () => void;
  children: ComponentChildren;
  /** Which edge of its opener it hangs from. */
  side?: "left" | "right";
  class?: string;
}

/** A panel below the button that opened it. Escape and a click elsewhere close it; the focus goes back to where it was. */
export function Popover({ label, close, children, side = "left", class: name = "" }: Props) {
  const box = useRef<HTMLDivElement>(null);
  // Before it is painted: a key pressed as soon as it is seen is meant for it.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const first = box.current?.querySelector<HTMLElement>("[data-first], input, select, button, a");
    first?.focus();
    const outside = (e: PointerEvent) => {
      const holder = box.current?.parentElement;
      if (e.target instanceof Node && holder && !holder.contains(e.target)) close();
    };
    document.addEventListener("pointerdown", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      const lost = document.activeElement === document.body || document.activeElement === null;
      if (lost && before instanceof HTMLElement) before.focus();
    };
  }, []);
  const key = (e: KeyboardEvent) => {
    if (e.key !== "Escape") return;
    e.preventDefault();
    e.stopPropagation();
    const opener = box.current?.parentElement?.querySelector("button");
    close();
    opener?.focus();
  };
  return (
    <div ref={box} class={`popover ${side} ${name}`} role="dialog" aria-label={label} onKeyDown={key}>
      {children}
    </div>
  );
}
