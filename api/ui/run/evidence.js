// evidence.js: what was claimed beside what GitHub shows; a difference is never hidden.

import { html } from "../html.js";
import { At, Copy } from "../parts.js";
import { brief, plain } from "../words.js";

/** @type {[string, string, string][]} what, its name in the claim, its name in the fact */
const ROWS = [
  ["Pull request", "pr_url", "url"],
  ["Head commit", "head_sha", "head_sha"],
  ["Branch", "branch", "branch"],
];

/** @param {string | undefined | null} said @param {string | undefined | null} seen */
function compared(said, seen) {
  if (!said) return { sign: "–", words: "not claimed", kind: "pending" };
  if (!seen) return { sign: "?", words: "not seen", kind: "error" };
  const same = said.toLowerCase().replace(/\/$/, "") === seen.toLowerCase().replace(/\/$/, "");
  return same ? { sign: "✓", words: "agree", kind: "success" } : { sign: "✗", words: "differ", kind: "failure" };
}

/** @param {{value: string | null | undefined}} props */
function Value({ value }) {
  if (!value) return html`<span class="dim">–</span>`;
  if (/^https?:/.test(value)) return html`<a href=${value} rel="noreferrer">${value.replace(/^https?:\/\/[^/]+\//, "")}</a>`;
  if (/^[0-9a-f]{40}$/i.test(value)) return html`<${Copy} text=${value} show=${brief(value)} what="commit" />`;
  return value;
}

/** @param {unknown} value */
const shown = (value) => (Array.isArray(value) ? value.join(", ") : /^[0-9a-f]{40}$/i.test(String(value)) ? brief(String(value)) : String(value ?? "nothing"));

/**
 * The same contradiction of several attempts is said once, with its attempts.
 * @template {{field: string, claimed: unknown, observed: unknown, attempt: number | null}} Contradiction
 * @param {Contradiction[]} contradictions
 */
function saidOnce(contradictions) {
  /** @type {Map<string, {each: Contradiction, attempts: number[]}>} */
  const said = new Map();
  for (const each of contradictions) {
    const key = JSON.stringify([each.field, each.claimed, each.observed]);
    const known = said.get(key) ?? { each, attempts: [] };
    if (each.attempt !== null) known.attempts.push(each.attempt);
    said.set(key, known);
  }
  return [...said.values()];
}

/** @param {Record<string, any>} observed */
function stateOf(observed) {
  const state = observed.merged ? "merged" : observed.is_open ? "open" : "closed";
  return observed.draft ? `${state}, draft` : state;
}

/** @param {{run: import("../types/page").Run}} props */
export function Evidence({ run: { evidence } }) {
  const { claimed, observed } = evidence;
  return html`<section aria-labelledby="evidence">
    <h2 id="evidence">Evidence</h2>
    ${!claimed && !observed ? html`<p class="none">Nothing was handed in or found yet.</p>` : html`<div class="scroll" tabindex="0" role="region" aria-label="Claims beside facts"><table class="beside">
      <thead><tr><th scope="col">What</th><th scope="col">Claimed</th><th scope="col">On GitHub</th><th scope="col">Compared</th></tr></thead>
      <tbody>${ROWS.map(([what, said, seen]) => {
        const look = compared(claimed?.[said], observed?.[seen]);
        return html`<tr key=${what}><th scope="row">${what}</th><td data-of="Claimed"><${Value} value=${claimed?.[said]} /></td><td data-of="On GitHub"><${Value} value=${observed?.[seen]} /></td><td class=${`state ${look.kind}`}><i aria-hidden="true">${look.sign}</i> ${look.words}</td></tr>`;
      })}</tbody></table></div>`}
    ${claimed?.by && html`<p class="dim">Claimed by <b>${claimed.by}</b></p>`}
    ${observed && html`<p class="dim">${plain(observed.source ?? "observed")} · ${stateOf(observed)} · base ${observed.base}${observed.as_of && html` · as of <${At} at=${observed.as_of} />`}</p>`}
    ${(evidence.contradictions ?? []).length > 0 && html`<h3>Contradicted in this run</h3><ul class="contradicted">${saidOnce(evidence.contradictions ?? []).map(({ each, attempts }, at) => html`<li key=${at}><i aria-hidden="true">✗</i> ${plain(each.field)}: claimed <code>${shown(each.claimed)}</code>, seen <code>${shown(each.observed)}</code>${attempts.length > 0 && ` (${attempts.length > 1 ? "attempts" : "attempt"} ${attempts.join(", ")})`}</li>`)}</ul>`}
    ${claimed?.summary && html`<blockquote>${claimed.summary}</blockquote>`}
  </section>`;
}
