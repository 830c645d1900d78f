// failure_codes.js: every code that a run blocks or ends with, what it means, and what to do.

import { html } from "../html.js";
import { Loading, ProblemBox } from "../parts.js";
import { useResource } from "../resource.js";
import { codeWords } from "../words.js";
import { useAnchor } from "./anchor.js";

/** @type {[string | null, string][]} */
const STAGES = [["PLANNER", "PLANNER"], ["WORKER", "WORKER"], ["VALIDATOR", "VALIDATOR"], ["DEPLOY", "DEPLOY"], [null, "In any stage"]];
/** @type {Record<string, string>} */
const FAULT = { failure: "the change", error: "a system", timeout: "time ran out", cancellation: "a person" };

/** @param {{row: any}} props */
const Code = ({ row }) => html`<tr id=${row.code}>
  <th scope="row">${codeWords(row.code)}<small><code>${row.code}</code></small></th>
  <td>${row.says}</td><td>${row.advice}</td><td>${FAULT[row.outcome] ?? row.outcome}</td><td>${row.repairable ? "blocks: a person decides" : "ends the run"}</td></tr>`;

export default function FailureCodes() {
  const { value, problem, loading, again } = useResource("/failure-codes");
  useAnchor(value);
  return html`<main id="main" class="page" tabindex="-1">
    <h1>Failure codes</h1>
    <p class="dim">Codes are never renamed. <i>Could not ask</i> is never <i>no</i>, and never <i>yes</i>.</p>
    ${loading && html`<${Loading} />`}
    ${problem && html`<${ProblemBox} problem=${problem} again=${again} />`}
    ${value && STAGES.map(([stage, words]) => html`<section key=${words}><h2>${words}</h2><div class="scroll" tabindex="0" role="group" aria-label=${words}><table class="dense codes">
      <thead><tr><th scope="col">Code</th><th scope="col">Means</th><th scope="col">What to do</th><th scope="col">At fault</th><th scope="col">Then</th></tr></thead>
      <tbody>${value.items.filter((/** @type {any} */ row) => row.stage === stage).map((/** @type {any} */ row) => html`<${Code} key=${row.code} row=${row} />`)}</tbody></table></div></section>`)}
    ${value && html`<section><h2>Answers of the API</h2><div class="scroll" tabindex="0" role="group" aria-label="Answers of the API"><table class="dense">
      <thead><tr><th scope="col">Code</th><th scope="col">HTTP</th><th scope="col">Means</th></tr></thead>
      <tbody>${value.api.map((/** @type {any} */ row) => html`<tr key=${row.code} id=${row.code}><th scope="row">${codeWords(row.code)}<small><code>${row.code}</code></small></th><td class="num">${row.status}</td><td>${row.says}</td></tr>`)}</tbody></table></div></section>`}
  </main>`;
}
