// dead_letters.js: every blocked run with why, what it did so far, and what can be done about it.

import { html } from "../html.js";
import { Empty, Loading, ProblemBox } from "../parts.js";
import { Link, route } from "../route.js";
import { useResource } from "../resource.js";
import { codeWords } from "../words.js";
import { Bulk } from "./bulk.js";
import { Choice } from "./choice.js";
import { Letter } from "./letter.js";
import { More, usePages } from "./paged.js";

const MATTERS = new Set(["run.blocked", "run.resumed", "run.finished", "engine.terminated"]);
const STAGES = ["PLANNER", "WORKER", "VALIDATOR", "DEPLOY"];

function Filters() {
  const { value } = useResource("/failure-codes");
  const { value: environments } = useResource("/environments");
  const codes = (value?.items ?? []).filter((/** @type {any} */ row) => row.repairable).map((/** @type {any} */ row) => [row.code, codeWords(row.code)]);
  return html`<form class="filters" role="search" aria-label="Filter dead letters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <${Choice} name="state" label="State" all="open" options=${[["resolved", "resolved"], ["all", "open and resolved"]]} />
    <${Choice} name="code" label="Failure" all="any" options=${codes} />
    <${Choice} name="stage" label="Stage" all="any" options=${STAGES.map((stage) => [stage, stage])} />
    <${Choice} name="environment" label="Environment" all="any" options=${(environments?.items ?? []).map((/** @type {any} */ each) => [each.name, each.name])} />
  </form>`;
}

const NONE = html`<${Empty} title="Nothing is blocked"><p>A run that cannot go on by itself waits here for a decision, with its reason.</p></${Empty}>`;

function List() {
  const { query } = route.value;
  const asked = new URLSearchParams({ limit: "25" });
  for (const name of ["state", "code", "stage", "environment"]) if (query.get(name)) asked.set(name, /** @type {string} */ (query.get(name)));
  const pages = usePages(`/dead-letters?${asked}`, (type) => MATTERS.has(type));
  const open = pages.items.filter((each) => each.state === "open");
  return html`
    <${Bulk} letters=${open} query=${query} />
    ${pages.problem && html`<${ProblemBox} problem=${pages.problem} again=${pages.again} />`}
    ${pages.loading && html`<${Loading} />`}
    ${!pages.loading && !pages.problem && pages.items.length === 0 && NONE}
    <ul class="letters">${pages.items.map((letter) => html`<li key=${letter.id}><${Letter} letter=${letter} /></li>`)}</ul>
    <${More} pages=${pages} />`;
}

/** @param {{id: string}} props */
function One({ id }) {
  const { value, problem, loading, again } = useResource(`/dead-letters/${encodeURIComponent(id)}`);
  return html`
    <p class="crumbs"><${Link} href="/dead-letters">All dead letters</${Link}></p>
    ${loading && html`<${Loading} />`}
    ${problem && html`<${ProblemBox} problem=${problem} again=${again} />`}
    ${value && html`<${Letter} letter=${value} unfolded=${true} />`}`;
}

/** @param {{route: import("../types/page").Route}} props */
export default function DeadLetters({ route: { id } }) {
  return html`<main id="main" class="page" tabindex="-1">
    <h1>Dead letters</h1>
    ${id ? html`<${One} id=${id} />` : html`<p class="dim">Blocked runs that wait for a person. Nothing is lost: each move says what it would do before it does it.</p><${Filters} /><${List} />`}
  </main>`;
}
