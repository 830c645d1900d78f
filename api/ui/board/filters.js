// filters.js: search, filters and order of the board. They live in the URL, so a view can be sent to somebody.

import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { useResource } from "../resource.js";
import { route, setQuery } from "../route.js";
import { FILTERS, reading } from "./data.js";

const SORTS = { "": "Last changed", "-created": "Newest", created: "Oldest", priority: "Priority", vtid: "VTID" };
const STAGES = ["PLANNER", "WORKER", "VALIDATOR", "DEPLOY"];

/** @param {{name: string, label: string, options: [string, string][]}} props */
function Choice({ name, label, options }) {
  const value = route.value.query.get(name) ?? "";
  const choose = (/** @type {any} */ event) => setQuery({ [name]: event.target.value || null });
  return html`<label class="choice"><span class="hidden">${label}</span>
    <select value=${value} class=${value ? "set" : ""} onChange=${choose}>
      ${options.map(([key, words]) => html`<option key=${key} value=${key} selected=${key === value}>${words}</option>`)}
    </select></label>`;
}

/** @param {string} any @param {string[]} values @returns {[string, string][]} */
const withAny = (any, values) => [["", any], ...values.map((each) => /** @type {[string, string]} */ ([each, each]))];

export function Filters() {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  // On a phone they would push the board off the screen.
  const opened = useRef(matchMedia("(min-width: 48.01rem)").matches);
  const environments = useResource("/environments").value?.items ?? [];
  const codes = useResource("/failure-codes").value?.items ?? [];
  const query = route.value.query;
  const q = query.get("q") ?? "";
  // The URL can change without the field: back, a link, "clear".
  useEffect(() => {
    if (field.current && field.current !== document.activeElement) field.current.value = q;
  }, [q]);
  const search = (/** @type {any} */ event) => setQuery({ q: event.target.value.trim() || null }, { replace: true });
  const clear = () => {
    if (field.current) field.current.value = "";
    setQuery(Object.fromEntries(FILTERS.map((name) => [name, null])));
  };
  const some = FILTERS.some((name) => name !== "sort" && query.has(name));
  const repositories = [...new Set(environments.map((/** @type {any} */ each) => each.repository))];
  return html`<form class="filters" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <label class="search"><span class="hidden">Search in VTID and title</span>
      <input ref=${field} id="search" type="search" placeholder="Search VTID or title" value=${q} onInput=${search} autocomplete="off" />${reading.value && html`<span class="spinner" role="status" aria-label="Reading"></span>`}</label>
    <details open=${opened.current}><summary>Filters and order${some ? " (some are set)" : ""}</summary><div>
    <${Choice} name="environment" label="Environment" options=${withAny("Any environment", environments.map((/** @type {any} */ each) => each.name))} />
    ${repositories.length > 1 && html`<${Choice} name="repository" label="Repository" options=${withAny("Any repository", /** @type {string[]} */ (repositories))} />`}
    <${Choice} name="stage" label="Stage" options=${withAny("Any stage", STAGES)} />
    <${Choice} name="code" label="Failure code" options=${withAny("Any failure code", codes.map((/** @type {any} */ each) => each.code))} />
    <${Choice} name="sort" label="Order" options=${Object.entries(SORTS)} />
    </div></details>
    ${some && html`<button type="button" class="quiet" onClick=${clear}>Clear</button>`}
  </form>`;
}
