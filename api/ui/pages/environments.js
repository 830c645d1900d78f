// environments.js: where runs go: declared once, in environments.yaml.

import { html } from "../html.js";
import { Loading, ProblemBox, Raw } from "../parts.js";
import { useResource } from "../resource.js";
import { Link } from "../route.js";
import { plain } from "../words.js";
import { useAnchor } from "./anchor.js";

/** @param {string[]} names */
const list = (names) => (names?.length > 0 ? names.map((name, at) => html`${at > 0 && ", "}<code>${name}</code>`) : html`<span class="dim">none</span>`);
const yes = (/** @type {boolean} */ value) => (value ? "yes" : "no");

/** @param {{pairs: [string, unknown][]}} props */
const Facts = ({ pairs }) => html`<dl class="pairs">${pairs.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

/** @param {{service: import("../types/page").Sent<"Service">}} props */
const Service = ({ service }) => html`<li><h4>${service.name}</h4><${Facts} pairs=${[
  ["paths", list(service.paths)],
  ["secrets that it must have", list(service.required_secrets)],
  ["variables that it must have", list(service.required_env)],
]} /></li>`;

/** @param {{each: import("../types/page").Sent<"Environment">}} props */
const Environment = ({ each }) => html`<section class="environment" id=${each.name} aria-labelledby=${`environment-${each.name}`}>
  <h2 id=${`environment-${each.name}`}>${each.name}</h2>
  <${Facts} pairs=${[
    ["repository", html`<code>${each.repository}</code>${each.base_branch && html` onto <code>${each.base_branch}</code>`}`],
    ["project", each.project ? html`<code>${each.project}</code> in <code>${each.region}</code>` : html`<span class="dim">none</span>`],
    ["merges by itself", yes(each.automerge)],
    ["author may approve", yes(each.policy?.author_may_approve)],
    ["required checks", list(each.checks?.required)],
    ["denied paths", list(each.policy?.deny_paths)],
    ["when a run cannot go on", plain(each.policy?.on_failure ?? "block")],
    ["limits of its own", Object.keys(each.limits ?? {}).length > 0 ? html`<${Link} href=${`/limits?environment=${each.name}`}>${Object.keys(each.limits).length} other than the defaults</${Link}>` : "none"],
  ]} />
  <h3>Services</h3>
  <ul class="services">${each.services.map((service) => html`<${Service} key=${service.name} service=${service} />`)}</ul>
  <${Raw} value=${each} label="all of it" />
</section>`;

export default function Environments() {
  const { value, problem, loading, again } = useResource("/environments");
  useAnchor(value);
  return html`<main id="main" class="page" tabindex="-1">
    <h1>Environments</h1>
    <p class="dim">Declared once, in <code>environments.yaml</code>; nothing else names a project, a service or a secret.</p>
    ${loading && html`<${Loading} />`}
    ${problem && html`<${ProblemBox} problem=${problem} again=${again} />`}
    ${/** @type {import("../types/page").Listed<"Environment">} */ (value)?.items.map((each) => html`<${Environment} key=${each.name} each=${each} />`)}
  </main>`;
}
