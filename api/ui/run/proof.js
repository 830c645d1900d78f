// proof.js: from the merged commit to the live answer, link by link, each with what its witness said.

import { html } from "../html.js";
import { At, Copy, Pill, Raw } from "../parts.js";
import { brief, codeWords, linkLook, plain, servingLook } from "../words.js";

/** @param {{link: import("../types/page").ProofLink}} props */
function ChainLink({ link }) {
  const look = linkLook(link.state);
  return html`<li class=${`link ${look.kind}`}>
    <span class="knot" aria-hidden="true">${look.sign}</span>
    <div>
      <p><b>${plain(link.name)}</b>${link.service && html` <span class="dim">${link.service}</span>`} <${Pill} look=${look} /></p>
      <p>${link.says}${link.match === "contains" && html` <span class="dim">· the serving commit contains ours</span>`}</p>
      ${link.code && link.state !== "proven" && html`<p class="code"><b>${codeWords(link.code)}</b></p>`}
      ${link.at && html`<p class="dim">asked <${At} at=${link.at} /></p>`}
      ${Object.keys(link.raw ?? {}).length > 0 && html`<${Raw} value=${link.raw} of=${plain(link.name)} />`}
    </div>
  </li>`;
}

/** @param {{run: import("../types/page").Run}} props */
export function Proof({ run: { proof, merged, serving } }) {
  const whole = proof && { sign: proof.complete ? "✓" : "?", words: proof.complete ? "complete" : "not complete", kind: proof.complete ? "success" : "error" };
  const commit = proof?.commit ?? merged;
  return html`<section aria-labelledby="proof">
    <h2 id="proof">Deployment proof ${whole && html`<${Pill} look=${whole} />`}</h2>
    ${commit && html`<p class="dim">Commit <${Copy} text=${commit} show=${brief(commit)} what="commit" />${proof?.at && html`, as of <${At} at=${proof.at} />`}</p>`}
    ${serving && html`<p class="serving"><${Pill} look=${servingLook(serving.state)} label="Since then" /> ${serving.says} <span class="dim">· since <${At} at=${serving.since} /></span></p>`}
    ${proof ? html`<ol class="chain">${proof.links.map((link, at) => html`<${ChainLink} key=${`${link.service} ${link.name} ${at}`} link=${link} />`)}</ol>` : html`<p class="none">Nothing is deployed yet, so nothing is proven.</p>`}
  </section>`;
}
