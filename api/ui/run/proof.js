// proof.js: from the merged commit to the live answer, link by link, each with what its witness said.

import { html } from "../html.js";
import { At, Copy, Pill, Raw } from "../parts.js";
import { Link } from "../route.js";
import { clockTime, day, local, utc } from "../time.js";
import { brief, codeWords, linkLook, plain, rollbackLook, servingLook } from "../words.js";

/** @typedef {import("../types/page").ProofLink} ProofLink */

/**
 * When its witness was asked: the time alone, since the day stands above; whole where it is another one.
 * @param {{at: string, whole: string | null | undefined}} props
 */
const Asked = ({ at, whole }) => html`<time class="dim" datetime=${at} title=${`${local(at)}\n${utc(at)}`}>${whole && day(at) === day(whole) ? clockTime(at) : local(at)}</time>`;

/** @param {{link: ProofLink, asOf: string | null | undefined}} props */
function ChainLink({ link, asOf }) {
  const look = linkLook(link.state);
  return html`<li class=${`link ${look.kind}`}>
    <span class="knot" aria-hidden="true">${look.sign}</span>
    <div>
      <p><b>${plain(link.name)}</b>${link.service && html` <span class="dim">${link.service}</span>`} <${Pill} look=${look} /></p>
      <div class="says"><p>${link.says}${link.match === "contains" && html` <span class="dim">· the serving commit contains ours</span>`}${link.at && html` · <${Asked} at=${link.at} whole=${asOf} />`}</p>
        ${Object.keys(link.raw ?? {}).length > 0 && html`<${Raw} value=${link.raw} of=${plain(link.name)} />`}</div>
      ${link.code && link.state !== "proven" && html`<p class="code"><b>${codeWords(link.code)}</b> <${Link} href=${`/failure-codes#${link.code}`}><code>${link.code}</code></${Link}></p>`}
    </div>
  </li>`;
}

/** @param {{links: ProofLink[], asOf?: string | null}} props in the order in which the server gives them */
const Chain = ({ links, asOf }) => html`<ol class="chain">${links.map((link, at) => html`<${ChainLink} key=${`${link.service} ${link.name} ${at}`} link=${link} asOf=${asOf} />`)}</ol>`;

/** What was done about a service that was not proven, or why nothing was. @param {{each: import("../types/page").RolledBack}} props */
function Rollback({ each }) {
  if (each.held) return html`<li><p><b>${each.service}</b> <${Pill} look=${rollbackLook("held")} /></p><p>${each.reason}</p></li>`;
  return html`<li>
    <p><b>${each.service}</b> <${Pill} look=${rollbackLook(each.proven ? "proven" : "unproven")} /></p>
    <p>All traffic goes to <code>${each.revision}</code>${each.commit && html`, commit <${Copy} text=${each.commit} show=${brief(each.commit)} what="commit" />`}</p>
    ${each.links && each.links.length > 0 && html`<details><summary>What shows it (${each.links.length})</summary><${Chain} links=${each.links} /></details>`}
  </li>`;
}

/** @param {{complete: boolean, links: ProofLink[]}} proof */
function wholeLook({ complete, links }) {
  if (complete) return { sign: "✓", words: "complete", kind: "success" };
  // What speaks against it is more than what could not be told.
  return links.some(({ state }) => state === "contradicted") ? linkLook("contradicted") : { sign: "?", words: "not complete", kind: "error" };
}

/** The signed bundle, which the server gives once nothing is under way any more. @param {{run: import("../types/page").Run}} props */
const Bundle = ({ run }) =>
  (run.outcome || run.status === "blocked") &&
  html`<p><a href=${`${run.links.self}/proof/bundle`}>Proof bundle</a> <span class="dim">signed; <code>vtid proof verify FILE --key PUBLIC.pem</code> checks it offline</span></p>`;

/** @param {{run: import("../types/page").Run}} props */
export function Proof({ run }) {
  const { proof, merged, serving, outcome } = run;
  const whole = proof && wholeLook(proof);
  const commit = proof?.commit ?? merged;
  return html`<section aria-labelledby="proof">
    <h2 id="proof">Deployment proof ${whole && html`<${Pill} look=${whole} />`}</h2>
    ${commit && html`<p class="dim">Commit <${Copy} text=${commit} show=${brief(commit)} what="commit" />${proof?.at && html`, as of <${At} at=${proof.at} />`}</p>`}
    ${serving && html`<p class=${`serving ${servingLook(serving.state).kind}`}><${Pill} look=${servingLook(serving.state)} label="Since then" /> ${serving.says} <span class="dim">· since <${At} at=${serving.since} /></span></p>`}
    ${(proof?.rollback ?? []).length > 0 && html`<h3>Rollback</h3><ul class="rollback">${proof?.rollback?.map((each, at) => html`<${Rollback} key=${`${each.service} ${at}`} each=${each} />`)}</ul>`}
    ${proof ? html`<${Chain} links=${proof.links} asOf=${proof.at} />` : html`<p class="none">${outcome ? "Nothing was deployed" : "Nothing is deployed yet"}, so nothing is proven.</p>`}
    <${Bundle} run=${run} />
  </section>`;
}
