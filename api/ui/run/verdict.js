// verdict.js: the validator's answer, rule by rule, with what each rule looked at.

import { useState } from "preact/hooks";
import { perform } from "../actions.js";
import { api } from "../api.js";
import { html } from "../html.js";
import { At, Button, Copy, Pill, Raw } from "../parts.js";
import { Link } from "../route.js";
import { answerLook, brief } from "../words.js";

const LOOK_MS = 25_000; // the server looks on GitHub for 20 s at most

/** @param {{rule: import("../types/page").RuleAnswer}} props */
const Rule = ({ rule }) => html`<li class=${`rule ${answerLook(rule.answer).kind}`} id=${rule.rule}>
  <${Pill} look=${answerLook(rule.answer)} />
  <div><p><b>${rule.title}</b>${rule.reason !== rule.title && html` <span class="dim">${rule.reason}</span>`}</p>${Object.keys(rule.inputs ?? {}).length > 0 && html`<${Raw} value=${rule.inputs} label="inputs" of=${rule.rule} />`}</div>
  <${Link} href=${`/rules#${rule.rule}`} class="vtid">${rule.rule}</${Link}>
</li>`;

/** Why it may not be merged at this moment, judged anew by the run's own rules. @param {{vtid: string}} props */
function WhyNot({ vtid }) {
  const [told, setTold] = useState(/** @type {any} */ (null));
  const key = `explain ${vtid}`;
  // The code host is asked for it, which takes its time.
  const ask = () => perform(key, async () => setTold(await api("GET", `/runs/${vtid}/explain`, { timeout: LOOK_MS })));
  return html`<div class="why-not">
    <${Button} action=${key} kind="quiet" label="Why may it not be merged now?" busy="Looking …" run=${ask} />
    <div aria-live="polite">${told && html`<p><b>${told.says}</b></p><ul>${told.reasons.map((/** @type {string} */ reason) => html`<li key=${reason}>${reason}</li>`)}</ul>`}</div>
  </div>`;
}

/** @param {{run: import("../types/page").Run}} props */
export function Verdict({ run: { vtid, verdict, merged, outcome } }) {
  const passed = verdict && { sign: verdict.passed ? "✓" : "✗", words: verdict.passed ? "passed" : "not passed", kind: verdict.passed ? "success" : "failure" };
  // What needs a look comes first.
  const order = ["fail", "not_asked", "skipped", "pass"];
  const rules = [...(verdict?.rules ?? [])].sort((a, b) => order.indexOf(a.answer) - order.indexOf(b.answer));
  return html`<section aria-labelledby="verdict">
    <h2 id="verdict">Verdict ${passed && html`<${Pill} look=${passed} />`}</h2>
    ${verdict ? html`<p class="dim">On head <${Copy} text=${verdict.head_sha} show=${brief(verdict.head_sha)} what="commit" />${verdict.at && html`, reached <${At} at=${verdict.at} />`}</p>
      <ol class="rules">${rules.map((rule) => html`<${Rule} key=${rule.rule} rule=${rule} />`)}</ol>` : html`<p class="none">No rule was judged yet.</p>`}
    ${!merged && !outcome && html`<${WhyNot} vtid=${vtid} />`}
  </section>`;
}
