// inbox.js: what waits for a person, before anything else.

import { html } from "../html.js";
import { Countdown, When } from "../parts.js";
import { Link } from "../route.js";
import { codeWords } from "../words.js";
import { inbox } from "./data.js";

/** @typedef {{key: string, sign: string, what: string, href: (item: any) => string, says: (item: any) => unknown}} Section */

/** @type {Section[]} */
const SECTIONS = [
  {
    key: "blocked", sign: "‖", what: "Decide", href: (item) => `/runs/${item.vtid}#decide`,
    says: (item) => html`<b>${codeWords(item.code)}</b> in ${item.stage}: ${item.says}${item.until && html`<span> · <${Countdown} until=${item.until} /></span>`}`,
  },
  {
    key: "approvals", sign: "✎", what: "Approve", href: (item) => `/tasks/${item.vtid}`,
    says: (item) => html`spec version ${item.spec.version} by ${item.spec.author}${!item.you_may && html` · <span class="dim">${item.why_not}</span>`}`,
  },
  { key: "merges", sign: "⇥", what: "Merge", href: (item) => `/runs/${item.vtid}`, says: (item) => html`waits for ${item.waiting.for}` },
  {
    key: "suspects", sign: "!", what: "Look at", href: (item) => `/runs/${item.vtid}#WORKER`,
    says: (item) => html`worker <b>${item.worker}</b> is suspect: silent since <${When} at=${item.last_beat_at} />`,
  },
  { key: "unclaimed", sign: "◷", what: "Look at", href: (item) => `/runs/${item.vtid}#WORKER`, says: (item) => html`nobody took the order, offered <${When} at=${item.since} />` },
  { key: "stuck", sign: "!", what: "Look at", href: (item) => `/runs/${item.vtid}`, says: (item) => html`Temporal keeps failing on it (${item.engine})` },
  { key: "serving", sign: "≠", what: "Look at", href: (item) => `/runs/${item.vtid}#proof`, says: (item) => html`<b>${item.state}</b> after it was proven: ${item.says}` },
];

/** @param {{section: Section, item: any}} props */
const Item = ({ section, item }) => html`<li>
  <i aria-hidden="true">${section.sign}</i>
  <div><${Link} href=${section.href(item)}><b>${section.what}</b> <span class="vtid">${item.vtid}</span> ${item.title ?? ""}</${Link}>
  <span class="says">${section.says(item)}</span></div>
  <${When} at=${item.since ?? item.last_beat_at} brief=${true} />
</li>`;

export function Inbox() {
  const told = inbox.value;
  if (!told || told.total === 0) return null;
  const listed = SECTIONS.flatMap((section) => (told[section.key]?.items ?? []).map((/** @type {any} */ item) => ({ section, item })));
  return html`<section class="inbox" aria-label="What needs you first">
    <h2>Needs you <span class="count">${told.total}</span></h2>
    <ul>${listed.slice(0, 6).map(({ section, item }) => html`<${Item} key=${`${section.key} ${item.vtid}`} section=${section} item=${item} />`)}</ul>
    ${listed.length > 6 && html`<details><summary>${told.total - 6} more</summary>
      <ul>${listed.slice(6).map(({ section, item }) => html`<${Item} key=${`${section.key} ${item.vtid}`} section=${section} item=${item} />`)}</ul>
      ${told.total > listed.length && html`<p class="dim">The oldest ones are listed; ${told.total - listed.length} more come when these are done.</p>`}</details>`}
  </section>`;
}
