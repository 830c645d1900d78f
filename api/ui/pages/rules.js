// rules.js: what the validator asks of every change.

import { html } from "../html.js";
import { Loading, ProblemBox } from "../parts.js";
import { useResource } from "../resource.js";
import { useAnchor } from "./anchor.js";

export default function Rules() {
  const { value, problem, loading, again } = useResource("/rules");
  useAnchor(value);
  return html`<main id="main" class="page" tabindex="-1">
    <h1>Rules</h1>
    <p class="dim">Each rule answers pass, fail or not asked, with its inputs and its reason. What could not be asked is not green.</p>
    ${loading && html`<${Loading} />`}
    ${problem && html`<${ProblemBox} problem=${problem} again=${again} />`}
    ${value && html`<table class="dense"><thead><tr><th scope="col">Rule</th><th scope="col">Asks that</th></tr></thead>
      <tbody>${value.items.map((/** @type {any} */ rule) => html`<tr key=${rule.id} id=${rule.id}><th scope="row"><code>${rule.id}</code></th><td>${rule.title}</td></tr>`)}</tbody></table>`}
  </main>`;
}
