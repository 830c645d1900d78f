// verdict.js: the validator's answer, rule by rule, with what each rule looked at.

import { html } from "../html.js";
import { At, Copy, Pill, Raw } from "../parts.js";
import { Link } from "../route.js";
import { answerLook, brief } from "../words.js";

/** @param {{rule: import("../types/page").RuleAnswer}} props */
const Rule = ({ rule }) => html`<li class=${`rule ${answerLook(rule.answer).kind}`} id=${rule.rule}>
  <${Pill} look=${answerLook(rule.answer)} />
  <div><p><b>${rule.title}</b>${rule.reason !== rule.title && html` <span class="dim">${rule.reason}</span>`}</p>${Object.keys(rule.inputs ?? {}).length > 0 && html`<${Raw} value=${rule.inputs} label=${`inputs of ${rule.rule}`} />`}</div>
  <${Link} href=${`/rules#${rule.rule}`} class="vtid">${rule.rule}</${Link}>
</li>`;

/** @param {{run: import("../types/page").Run}} props */
export function Verdict({ run: { verdict } }) {
  const passed = verdict && { sign: verdict.passed ? "✓" : "✗", words: verdict.passed ? "passed" : "not passed", kind: verdict.passed ? "success" : "failure" };
  // What needs a look comes first.
  const order = ["fail", "not_asked", "skipped", "pass"];
  const rules = [...(verdict?.rules ?? [])].sort((a, b) => order.indexOf(a.answer) - order.indexOf(b.answer));
  return html`<section aria-labelledby="verdict">
    <h2 id="verdict">Verdict ${passed && html`<${Pill} look=${passed} />`}</h2>
    ${verdict ? html`<p class="dim">On head <${Copy} text=${verdict.head_sha} show=${brief(verdict.head_sha)} what="commit" />${verdict.at && html`, reached <${At} at=${verdict.at} />`}</p>
      <ol class="rules">${rules.map((rule) => html`<${Rule} key=${rule.rule} rule=${rule} />`)}</ol>` : html`<p class="none">No rule was judged yet.</p>`}
  </section>`;
}
