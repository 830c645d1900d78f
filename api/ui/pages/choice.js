// choice.js: a filter that lives in the URL.

import { html } from "../html.js";
import { Field } from "../parts.js";
import { route, setQuery } from "../route.js";

/**
 * @param {{name: string, label: string, all?: string, options: [string, string][]}} props `all` names the choice of none
 */
export function Choice({ name, label, all, options }) {
  const chosen = route.value.query.get(name) ?? "";
  const choose = (/** @type {any} */ event) => setQuery({ [name]: event.target.value || null });
  return html`<${Field} label=${label}>${(/** @type {string} */ id) => html`<select id=${id} onChange=${choose}>
    ${all && html`<option value="" selected=${chosen === ""}>${all}</option>`}
    ${options.map(([value, words]) => html`<option key=${value} value=${value} selected=${chosen === value}>${words}</option>`)}
  </select>`}</${Field}>`;
}
