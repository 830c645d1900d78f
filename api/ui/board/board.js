// board.js: every task, in the column of what happens to it next.

import { lazyView } from "../later.js";
import { perform } from "../actions.js";
import { html } from "../html.js";
import { shortcut } from "../keys.js";
import { Button, Empty, Loading, ProblemBox } from "../parts.js";
import { Link, route, setQuery, withQuery } from "../route.js";
import { COLUMN_WORDS } from "../words.js";
import { Card } from "./card.js";
import { FILTERS, more, problem, read, searching, shown } from "./data.js";
import { Filters } from "./filters.js";
import { Inbox } from "./inbox.js";

/** @typedef {import("../types/page").Column} Column */

const Drawer = lazyView(() => import("../task/drawer.js"));
const NewTask = lazyView(() => import("../task/new.js"));

/** @type {Record<string, string>} */
const NOTHING = {
  scheduled: "Nothing waits to be started.",
  in_progress: "Nothing is under way.",
  needs_you: "Nothing waits for a decision.",
  done: "Nothing has ended yet.",
};

/** Until the server has answered a search nobody knows how many there are. @param {number} count */
const counted = (count) => (searching.value ? "…" : count.toLocaleString());

/** @param {{column: Column, chosen: boolean}} props */
function ColumnOf({ column, chosen }) {
  const { column: name, count, vtids, next_cursor } = column;
  const open = route.value.page === "task" ? route.value.id : null;
  const key = `more ${name}`;
  const nothing = searching.value ? "Searching …" : NOTHING[name];
  return html`<section class=${`column ${name} ${chosen ? "chosen" : ""}`} aria-labelledby=${`column-${name}`}>
    <h2 id=${`column-${name}`}>${COLUMN_WORDS[name] ?? name} <span class="count">${counted(count)}</span></h2>
    ${vtids.length === 0 ? html`<p class="none">${nothing}</p>` : html`<ol>${vtids.map((vtid) => html`<${Card} key=${vtid} vtid=${vtid} current=${vtid === open} />`)}</ol>`}
    ${next_cursor && !searching.value && html`<${Button} action=${key} kind="quiet" busy="Reading …" label=${`Show more (${(count - vtids.length).toLocaleString()} left)`} run=${() => perform(key, () => more(column))} />`}
  </section>`;
}

/** On a phone one column is shown at a time: the one in the URL, or the first that has something to do. @param {Column[]} columns */
function chosenOf(columns) {
  const named = route.value.query.get("column");
  if (named && columns.some((each) => each.column === named)) return named;
  const order = ["needs_you", "in_progress", "scheduled", "done"];
  return order.find((name) => (columns.find((each) => each.column === name)?.count ?? 0) > 0) ?? "scheduled";
}

/** @param {{columns: Column[], chosen: string}} props */
const Switch = ({ columns, chosen }) => html`<nav class="switch" aria-label="Columns">
  ${columns.map(({ column, count }) => html`<button type="button" aria-pressed=${column === chosen} onClick=${() => setQuery({ column }, { replace: true })}>${COLUMN_WORDS[column]} <span class="num">${counted(count)}</span></button>`)}
</nav>`;

const FirstTask = () => html`<${Empty} title="No tasks yet">
  <p>A task takes an approved spec to a proven deployment. <${Link} href="/tasks/new">Create the first one</${Link}>, or from a terminal:</p>
  <pre>vtid task create --title "…" --spec spec.md</pre>
  <p>It appears here by itself.</p>
</${Empty}>`;

const NothingFound = () => html`<${Empty} title="No task fits these filters">
  <p><${Link} href=${withQuery(Object.fromEntries(FILTERS.map((name) => [name, null])))}>Clear the filters</${Link}></p>
</${Empty}>`;

function Columns() {
  const columns = shown.value;
  if (!columns) return problem.value ? html`<${ProblemBox} problem=${problem.value} again=${() => read().catch(() => {})} />` : html`<${Loading} what="Reading the board" />`;
  if (!searching.value && columns.every((each) => each.count === 0)) {
    return FILTERS.some((name) => name !== "sort" && route.value.query.has(name)) ? html`<${NothingFound} />` : html`<${FirstTask} />`;
  }
  const chosen = chosenOf(columns);
  return html`<${Switch} columns=${columns} chosen=${chosen} />
    <div class="columns">${columns.map((column) => html`<${ColumnOf} key=${column.column} column=${column} chosen=${column.column === chosen} />`)}</div>`;
}

export function Board() {
  const { page } = route.value;
  const beside = page === "task" || page === "new";
  return html`<main id="main" class=${`split ${beside ? "open" : ""}`} tabindex="-1">
    <div class="board">
      <div class="title"><h1>Board</h1><${Filters} /><${Link} href="/tasks/new" class="button primary">New task</${Link}></div>
      ${problem.value && shown.value && html`<${ProblemBox} problem=${problem.value} what="The board could not be read again" again=${() => read().catch(() => {})} />`}
      <${Inbox} />
      <${Columns} />
    </div>
    ${page === "task" && html`<${Drawer} key=${route.value.id} route=${route.value} />`}
    ${page === "new" && html`<${NewTask} route=${route.value} />`}
  </main>`;
}

/** @param {number} by */
function step(by) {
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".card a.whole")].filter((each) => each.checkVisibility()));
  const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
}
shortcut("j", "next card", () => step(1));
shortcut("k", "previous card", () => step(-1));
