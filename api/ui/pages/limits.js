// limits.js: every timeout and retry of a run, as a run that starts now would get them.

import { html } from "../html.js";
import { Loading, ProblemBox } from "../parts.js";
import { useResource } from "../resource.js";
import { route } from "../route.js";
import { exact } from "../time.js";
import { plain } from "../words.js";
import { Choice } from "./choice.js";
import { useAnchor } from "./anchor.js";

/** @typedef {import("../types/api").components["schemas"]["LimitRow"]} LimitRow */

/** @type {Record<string, string>} */
const LANES = { bookkeeping: "our ledger", github: "GitHub", outside: "outside", lease: "a worker's lease", timer: "a wait" };

const span = (/** @type {number | null} */ seconds) => (seconds === null ? html`<span class="dim">–</span>` : exact(seconds));

/** @param {{row: LimitRow}} props */
const Row = ({ row }) => html`<tr id=${row.name}>
  <th scope="row">${plain(row.name)} <small class="dim">${LANES[row.lane] ?? plain(row.lane)}</small></th>
  <td class="num">${span(row.one_try_seconds)}</td><td class="num">${span(row.budget_seconds)}</td>
  <td class="num">${row.tries === 0 ? html`<span title="until the budget ends">no\u00a0bound</span>` : row.tries}</td><td class="num">${span(row.heartbeat_seconds)}</td>
  <td class="num">${row.back_off_seconds.length > 0 ? `${row.back_off_seconds.join(", ")}\u00a0s` : html`<span class="dim">–</span>`}</td>
  <td>${row.why}</td></tr>`;

export default function Limits() {
  const environment = route.value.query.get("environment");
  const { value: environments } = useResource("/environments");
  const { value, problem, loading, again } = useResource(`/limits${environment ? `?environment=${encodeURIComponent(environment)}` : ""}`);
  useAnchor(value);
  return html`<main id="main" class="page" tabindex="-1">
    <h1>Limits</h1>
    <p class="dim">Every wait of a run has an end. A run keeps the limits that it began with: a changed policy alters none that is under way.</p>
    <form class="filters" aria-label="Whose limits" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${Choice} name="environment" label="Environment" all="the defaults" options=${(environments?.items ?? []).map((/** @type {any} */ each) => [each.name, each.name])} />
    </form>
    ${loading && html`<${Loading} />`}
    ${problem && html`<${ProblemBox} problem=${problem} again=${again} />`}
    ${value && html`<div class="scroll" tabindex="0" role="group" aria-label="Limits"><table class="dense">
      <thead><tr><th scope="col">Step</th><th scope="col">One try</th><th scope="col">Whole budget</th><th scope="col">Tries</th><th scope="col">Heartbeat</th><th scope="col">Pauses</th><th scope="col">Why</th></tr></thead>
      <tbody>${value.items.map((/** @type {LimitRow} */ row) => html`<${Row} key=${row.name} row=${row} />`)}</tbody></table></div>`}
  </main>`;
}
