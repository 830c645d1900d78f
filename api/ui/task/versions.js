// versions.js: every version of the spec, who wrote and who approved it, and what it changed.

import { html } from "../html.js";
import { Copy, Loading, Pill, ProblemBox, When } from "../parts.js";
import { useResource } from "../resource.js";
import { Link, route, withQuery } from "../route.js";
import { brief, specLook } from "../words.js";
import { Diff } from "./diff_view.js";

/** @param {{vtid: string, from: string, to: string}} props */
function Compared({ vtid, from, to }) {
  const path = `/tasks/${vtid}/spec/versions`;
  const old = useResource(`${path}/${from}`), fresh = useResource(`${path}/${to}`);
  const problem = old.problem ?? fresh.problem;
  if (problem) return html`<${ProblemBox} problem=${problem} again=${() => (old.again(), fresh.again())} />`;
  if (!old.value || !fresh.value) return html`<${Loading} what="Comparing" />`;
  return html`<h3>Version ${from} → ${to}</h3><${Diff} old=${old.value.markdown} fresh=${fresh.value.markdown} />`;
}

/** @param {{vtid: string, hash: string | undefined}} props `hash` of the current version: a new one is read again */
export function Versions({ vtid, hash }) {
  const { value, problem, again } = useResource(`/tasks/${vtid}/spec/versions?current=${brief(hash ?? "")}`);
  if (problem) return html`<${ProblemBox} problem=${problem} again=${again} />`;
  if (!value) return html`<${Loading} what="Reading the versions" />`;
  if (value.items.length === 0) return html`<p class="dim">No version has been written yet.</p>`;
  const numbers = value.items.map((/** @type {any} */ each) => String(each.version));
  const to = route.value.query.get("to") ?? numbers[0];
  const from = route.value.query.get("from") ?? numbers[numbers.indexOf(to) + 1];
  return html`
    <ol class="versions">${value.items.map((/** @type {any} */ each, /** @type {number} */ at) => html`<li key=${each.version} class=${String(each.version) === to ? "current" : ""}>
      <b>Version ${each.version}</b> <${Pill} look=${specLook(each.state)} /> <span>by ${each.author} <${When} at=${each.created_at} /></span>
      ${each.approved_by && html`<span class="dim">approved by ${each.approved_by}${each.reason && `: ${each.reason}`}</span>`}
      <${Copy} text=${each.hash} show=${brief(each.hash)} what="hash" />
      ${at < numbers.length - 1 && html`<${Link} href=${withQuery({ tab: "versions", from: numbers[at + 1], to: String(each.version) })}>what changed</${Link}>`}
    </li>`)}</ol>
    ${from && to ? html`<${Compared} key=${`${from} ${to} ${hash}`} vtid=${vtid} from=${from} to=${to} />` : html`<p class="dim">This is the first version: there is nothing to compare it with.</p>`}
  `;
}
