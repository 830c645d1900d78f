// repair.js: what went back to a worker to be mended.

import { html } from "../html.js";
import { At } from "../parts.js";
import { Link } from "../route.js";

/** @param {{finding: import("../types/page").Finding}} props */
const Finding = ({ finding }) => html`<li>
  <i aria-hidden="true">✗</i> ${finding.url ? html`<a href=${finding.url} rel="noreferrer">${finding.name}</a>` : html`<b>${finding.name}</b>`}: ${finding.says} · <${Link} class="vtid dim" href=${`/rules#${finding.rule}`}>${finding.rule}</${Link}>${finding.log_problem && html` <span class="dim">· no log: ${finding.log_problem}</span>`}
</li>`;

/** @param {{run: import("../types/page").Run}} props */
export function Repair({ run: { repair } }) {
  if (!repair) return null;
  return html`<section aria-labelledby="repair">
    <h2 id="repair">Repair round ${repair.round} of ${repair.rounds}</h2>
    <p>${repair.reason} <span class="dim">· sent back <${At} at=${repair.at} /></span></p>
    <ul class="contradicted">${repair.findings.map((finding, at) => html`<${Finding} key=${at} finding=${finding} />`)}</ul>
  </section>`;
}
