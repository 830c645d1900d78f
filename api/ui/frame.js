// frame.js: what stands around every view: where to go, how fresh it is, who is here, the emergency stop.

import { useState } from "preact/hooks";
import { announced, dismiss, notices, perform } from "./actions.js";
import { now } from "./clock.js";
import { html } from "./html.js";
import { connection, heardAt } from "./live.js";
import { openKeys, openPalette } from "./overlays.js";
import { Button, Dialog, Field, When } from "./parts.js";
import { Link, route } from "./route.js";
import { signOut, who, whyNot } from "./session.js";
import { arm, disarm, system } from "./system.js";
import { clockTime, duration, short } from "./time.js";

/** @type {[string, string, string[]][]} path, words, pages that it stands for */
const PLACES = [
  ["/", "Board", ["board", "task", "new", "run"]],
  ["/dead-letters", "Dead letters", ["dead-letters"]],
  ["/statistics", "Statistics", ["statistics"]],
  ["/workers", "Workers", ["workers"]],
];
/** @type {[string, string, string[]][]} */
const TABLES = [
  ["/limits", "Limits", ["limits"]],
  ["/failure-codes", "Failure codes", ["failure-codes"]],
  ["/rules", "Rules", ["rules"]],
  ["/environments", "Environments", ["environments"]],
];

/** @param {{places: [string, string, string[]][]}} props */
const Places = ({ places }) =>
  places.map(([path, words, pages]) => html`<li><${Link} href=${path} aria-current=${pages.includes(route.value.page) ? "page" : undefined}>${words}</${Link}></li>`);

/** Closes the menu that a link was chosen from. @param {MouseEvent} event */
const closeMenu = (event) => {
  const menu = /** @type {HTMLElement} */ (event.target).closest("a, button") && /** @type {HTMLElement} */ (event.currentTarget).closest("details");
  if (menu) menu.open = false;
};

/** @param {(menu: HTMLDetailsElement) => void} act on each menu that is open */
const openMenus = (act) => document.querySelectorAll("details.menu[open]").forEach((each) => act(/** @type {HTMLDetailsElement} */ (each)));

// A menu closes when something else is meant: what is beside it is pressed, or Escape is, which then closes nothing else.
addEventListener("pointerdown", ({ target }) => openMenus((menu) => (menu.open = menu.contains(/** @type {Node} */ (target)))));
addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape") return;
    openMenus((menu) => {
      menu.open = false;
      menu.querySelector("summary")?.focus();
      event.preventDefault();
    });
  },
  true,
);

const Nav = () => html`<nav aria-label="Pages">
  <ul class="wide"><${Places} places=${PLACES} /></ul>
  <details class="menu">
    <summary><span class="wide">Tables</span><span class="narrow">Menu</span></summary>
    <ul onClick=${closeMenu}>
      <div class="narrow"><${Places} places=${PLACES} /></div>
      <${Places} places=${TABLES} />
      <li><a href="/docs">API</a></li>
      <li><button type="button" aria-keyshortcuts="?" onClick=${openKeys}>Keyboard shortcuts</button></li>
    </ul>
  </details>
</nav>`;

/** Live, or since when not; and how old the last word of the server is. */
function Connection() {
  const { state } = connection.value;
  const age = heardAt.value === null ? null : Math.max(0, (Date.now() - heardAt.value) / 1000);
  void now.value; // the age grows by the second
  const words = { live: "Live", opening: "Connecting", lost: "Reconnecting" }[state];
  return html`<p class=${`connection ${state}`} title=${age === null ? "" : `the server was last heard ${duration(age)} ago`}>
    <i aria-hidden="true">${state === "live" ? "●" : "○"}</i> <b role="status">${words}</b>
    ${age !== null && html`<span class="num age">as of ${short(age)} ago</span>`}
  </p>`;
}

function LostBanner() {
  const { state, since, why } = connection.value;
  if (state !== "lost") return null;
  const age = Math.max(0, now.value - since) / 1000;
  return html`<p class="banner lost" role="alert"><span>
    <b>Reconnecting.</b> The connection has been lost for <span class="num">${duration(age)}</span>${why && ` (${why})`}.
    ${heardAt.value ? ` What you see is as of ${clockTime(new Date(heardAt.value).toISOString())}; it catches up by itself.` : " Nothing could be read yet."}
  </span></p>`;
}

function StopBanner() {
  const stop = system.value;
  if (!stop || stop.armed) return null;
  return html`<div class="banner stop" role="alert">
    <p><b>Emergency stop.</b> Nothing new is dispatched; what runs goes on. Reason: ${stop.reason} (${stop.by}${stop.since && html`, <${When} at=${stop.since} />`})</p>
    <${Button} action="arm" label="Lift the stop" busy="Lifting …" why=${whyNot("approver")} run=${lift} />
  </div>`;
}

const lift = () => perform("arm", arm, { did: "The emergency stop is lifted: waiting runs go on." });

function StopSwitch() {
  const [asks, setAsks] = useState(false);
  const [reason, setReason] = useState("");
  if (!system.value?.armed) return null;
  const stop = async () => {
    const done = await perform("disarm", () => disarm(reason.trim()), {
      did: "The emergency stop is on: nothing new is dispatched.",
      undo: async () => void (await arm()),
    });
    if (done) setAsks(false);
  };
  const why = whyNot("approver") ?? (reason.trim() ? null : "Say why: everybody will see it.");
  return html`
    <button type="button" class="quiet stop" onClick=${() => setAsks(true)}>Emergency stop</button>
    ${asks && html`<${Dialog} title="Stop everything new?" onClose=${() => setAsks(false)}>
      <p>No order is dispatched and no claim accepted until somebody lifts it. Running leases go on. Starts and approvals given meanwhile wait and are not lost.</p>
      <${Field} label="Reason">${(/** @type {string} */ id) => html`<textarea id=${id} rows="3" value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea>`}</${Field}>
      <${Button} action="disarm" label="Stop dispatching" busy="Stopping …" kind="danger" why=${why} run=${stop} />
    </${Dialog}>`}`;
}

const Who = () =>
  who.value &&
  html`<details class="menu who">
    <summary><span class="name">${who.value.name}</span> <span class="role">${who.value.role}</span></summary>
    <div>
      <p>Signed in as <b>${who.value.name}</b> in the role <b>${who.value.role}</b>.</p>
      <${Button} action="sign out" label="Sign out" busy="Signing out …" run=${() => perform("sign out", signOut)} />
    </div>
  </details>`;

/** @param {{notice: import("./types/page").Notice}} props */
function Notice({ notice }) {
  const takeBack = () => perform(`undo ${notice.id}`, /** @type {() => Promise<void>} */ (notice.undo), { did: "Taken back." }).then(() => dismiss(notice.id));
  return html`<li class=${notice.kind}>
    <i aria-hidden="true">${notice.kind === "done" ? "✓" : "✗"}</i> <span>${notice.text}</span>
    ${notice.href && html`<${Link} href=${notice.href}>Show</${Link}>`}
    ${notice.undo && html`<${Button} action=${`undo ${notice.id}`} label="Undo" busy="…" kind="quiet" run=${takeBack} />`}
    <button type="button" class="close" aria-label="Dismiss" onClick=${() => dismiss(notice.id)}>✕</button>
  </li>`;
}

/** @param {{children?: unknown}} props */
export const Frame = ({ children }) => html`
  <a class="skip" href="#main">Skip to the content</a>
  <header class="top">
    <p class="brand"><${Link} href="/">Command Hub</${Link}></p>
    <${Nav} />
    <button type="button" class="quiet search" aria-keyshortcuts="/" title="Search and commands ( / )" onClick=${openPalette}>Search <kbd aria-hidden="true">/</kbd></button>
    <${Connection} />
    <${StopSwitch} />
    <${Who} />
  </header>
  <${LostBanner} />
  <${StopBanner} />
  ${children}
  <section class="notices" aria-label="Messages"><ul>${notices.value.map((notice) => html`<${Notice} key=${notice.id} notice=${notice} />`)}</ul></section>
  <p class="hidden" aria-live="polite" id="announced">${announced.value}</p>
`;
