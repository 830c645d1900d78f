// later.js: a view whose module is read when it is first shown.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "./html.js";
import { onReturn } from "./live.js";
import { Loading, ProblemBox } from "./parts.js";

let onShown = () => {};
/** Called when a view that had to be read is there. @param {() => void} act */
export const whenShown = (act) => (onShown = act);

/**
 * @param {() => Promise<{default: any}>} read imports the module whose default export is the view
 * @returns {(props: any) => any}
 */
export function lazyView(read) {
  /** @type {import("@preact/signals").Signal<any>} */
  const view = signal(null);
  /** @type {import("@preact/signals").Signal<Error | null>} */
  const problem = signal(null);
  const ask = () => {
    problem.value = null;
    void read().then(
      (module) => (view.value = module.default),
      (error) => (problem.value = error),
    );
  };
  onReturn(() => problem.peek() && ask());
  return (props) => {
    useEffect(() => void (view.peek() || ask()), []);
    const Shown = view.value;
    useEffect(() => void (Shown && onShown()), [Boolean(Shown)]);
    if (Shown) return html`<${Shown} ...${props} />`;
    return problem.value
      ? html`<div class="page"><${ProblemBox} problem=${problem.value} what="This view could not be opened" again=${ask} /></div>`
      : html`<div class="page"><${Loading} what="Opening" /></div>`;
  };
}
