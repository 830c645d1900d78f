// events.js: the log of what happened, with filters in the URL and an address for each event.

import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { Loading, ProblemBox, Raw } from "../parts.js";
import { route, setQuery, withQuery } from "../route.js";
import { clockTime, day, local, utc, zone } from "../time.js";
import { useLog } from "./log.js";

const SHOWN = 300; // the last ones; the others come when asked for

// Of an event's data, what a reader of one line wants to know, in this order.
const TOLD = ["step", "for", "worker", "attempt", "status", "outcome", "code", "message", "move", "reason", "pr_url", "conclusion", "passed",
  "sha", "head_sha", "complete", "state", "hash", "by", "title", "why", "version"]; // prettier-ignore

/** The telling part of an event's data. @param {Record<string, any>} data */
function inWords(data) {
  if (data.failure) return `${data.failure.code}: ${shortened(data.failure.message, 300)}`;
  const told = TOLD.filter((key) => data[key] != null && data[key] !== "").map((key) => `${key.replaceAll("_", " ")} ${shortened(data[key])}`);
  return told.slice(0, 4).join(", ");
}

/** @param {any} value @param {number} [most] characters */
function shortened(value, most = 120) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  const text = String(value);
  if (/^[0-9a-f]{40,64}$/.test(text)) return text.slice(0, 10);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** @param {{event: import("../types/page").LoggedEvent, here: boolean}} props */
const Event = ({ event, here }) => html`<li id=${`event-${event.position}`} class=${here ? "here" : ""} tabindex="-1">
  <a class="no" href=${withQuery({}, location.pathname, `event-${event.position}`)} title="Address of this event"><time datetime=${event.at} title=${`${local(event.at)}\n${utc(event.at)}`}>${clockTime(event.at)}</time></a>
  <span class="stage">${event.stage ?? ""}</span>
  <div><b>${event.type}</b> <span>${inWords(event.data)}</span>${event.actor !== "system" && html` <span class="dim">· ${event.actor}</span>`}
    <${Raw} value=${event} label="raw" of=${`event ${event.position}`} /></div>
</li>`;

/** @param {{types: string[], stages: string[]}} props */
function LogFilters({ types, stages }) {
  const query = route.value.query;
  const set = (/** @type {string} */ name) => (/** @type {any} */ input) => setQuery({ [name]: input.target.value || null }, { replace: true });
  const choice = (/** @type {string} */ name, /** @type {string} */ any, /** @type {string[]} */ values) => html`<select aria-label=${any} onChange=${set(name)}>
    <option value="">${any}</option>${values.map((value) => html`<option key=${value} value=${value} selected=${query.get(name) === value}>${value}</option>`)}</select>`;
  return html`<form class="filters" onSubmit=${(/** @type {globalThis.Event} */ event) => event.preventDefault()}>
    <input type="search" aria-label="Search in the events" placeholder="Search in the events" value=${query.get("text") ?? ""} onInput=${set("text")} />
    ${choice("type", "Any kind", types)} ${choice("at", "Any stage", stages)}
  </form>`;
}

/** Whether the filters of the URL let this event through. @param {import("../types/page").LoggedEvent} event */
function fits(event) {
  const query = route.value.query, type = query.get("type"), at = query.get("at"), text = query.get("text")?.toLowerCase();
  if (type && !event.type.startsWith(type)) return false;
  if (at && event.stage !== at) return false;
  return !text || `${event.type} ${event.actor} ${JSON.stringify(event.data)}`.toLowerCase().includes(text);
}

/** Day by day, as they come: a time without its day is half a moment. @param {import("../types/page").LoggedEvent[]} events */
function daysOf(events) {
  /** @type {[string, import("../types/page").LoggedEvent[]][]} */
  const days = [];
  for (const event of events) {
    const date = day(event.at);
    if (days.at(-1)?.[0] !== date) days.push([date, []]);
    days.at(-1)?.[1].push(event);
  }
  return days;
}

/** The events of a task and of all its runs. @param {{vtid: string}} props */
export const EventsOf = ({ vtid }) => html`<${EventLog} log=${useLog(vtid)} runId=${null} />`;

/**
 * @param {{log: ReturnType<typeof useLog>, runId: string | null}} props `runId`: only events of this run and of none
 */
export function EventLog({ log: { events, problem, again }, runId }) {
  const anchor = route.value.hash;
  // The browser looks for the anchor before the events are here, so it is looked for once more.
  useEffect(() => {
    const found = events && anchor.startsWith("event-") && document.getElementById(anchor);
    if (found) found.scrollIntoView({ block: "center" });
  }, [anchor, events === null]);
  if (problem) return html`<${ProblemBox} problem=${problem} again=${again} what="The events could not be read" />`;
  if (!events) return html`<${Loading} what="Reading the events" />`;
  const mine = events.filter((event) => !runId || event.run_id === runId || event.run_id === null);
  const kinds = [...new Set(mine.map((event) => `${event.type.split(".")[0]}.`))].sort();
  const found = mine.filter(fits).reverse();
  const all = route.value.query.has("all") || anchor.startsWith("event-");
  const listed = all ? found : found.slice(0, SHOWN);
  return html`<${LogFilters} types=${kinds} stages=${[...new Set(mine.map((event) => event.stage).filter((stage) => stage !== null))]} />
    <p class="dim" role="status">${found.length.toLocaleString()} of ${mine.length.toLocaleString()} events, the latest first, in the time of ${zone()}</p>
    ${daysOf(listed).map(([date, those]) => html`<h3 class="day">${date}</h3>
      <ol class="events">${those.map((event) => html`<${Event} key=${event.position} event=${event} here=${anchor === `event-${event.position}`} />`)}</ol>`)}
    ${listed.length < found.length && html`<button type="button" onClick=${() => setQuery({ all: "yes" }, { replace: true })}>Show all ${found.length.toLocaleString()}</button>`}`;
}
