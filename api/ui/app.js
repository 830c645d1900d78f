// app.js: opens the page, and shows the view that the URL names.

import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Problem } from "./api.js";
import { Board } from "./board/board.js";
import { begin, inbox } from "./board/data.js";
import { Frame } from "./frame.js";
import { html } from "./html.js";
import { lazyView, whenShown } from "./later.js";
import { unreachable } from "./live.js";
import { Overlays } from "./overlays.js";
import { Empty, Loading, ProblemBox } from "./parts.js";
import { go, Link, route } from "./route.js";
import { readWho, signIn, who } from "./session.js";
import { SignIn } from "./sign_in.js";
import { readSystem } from "./system.js";
import { shortcut } from "./keys.js";

/** What is not the board is read when it is asked for. @type {Record<string, {title: string, View: (props: any) => any}>} */
const PAGES = {
  run: { title: "Run", View: lazyView(() => import("./run/run.js")) },
  "dead-letters": { title: "Dead letters", View: lazyView(() => import("./pages/dead_letters.js")) },
  statistics: { title: "Statistics", View: lazyView(() => import("./pages/statistics.js")) },
  workers: { title: "Workers", View: lazyView(() => import("./pages/workers.js")) },
  limits: { title: "Limits", View: lazyView(() => import("./pages/limits.js")) },
  "failure-codes": { title: "Failure codes", View: lazyView(() => import("./pages/failure_codes.js")) },
  rules: { title: "Rules", View: lazyView(() => import("./pages/rules.js")) },
  environments: { title: "Environments", View: lazyView(() => import("./pages/environments.js")) },
};

const Nowhere = () => html`<main id="main" class="page"><h1>Nothing is here</h1>
  <${Empty} title="This address names no page."><p><${Link} href="/">Go to the board</${Link}></p></${Empty}></main>`;

function View() {
  const { page, id } = route.value;
  const view = PAGES[page];
  const title = view?.title ?? (page === "new" ? "New task" : "Board");
  const waiting = !view && inbox.value?.total ? `(${inbox.value.total}) ` : "";
  useEffect(() => void (document.title = `${waiting}${id ? `${id} · ` : ""}${title} · Command Hub`), [title, id, waiting]);
  useArrival(view ? page : "board");
  if (view) return html`<${view.View} key=${id} route=${route.value} />`;
  return page === "nowhere" ? html`<${Nowhere} />` : html`<${Board} />`;
}

/** Who goes to another page begins to read at its top, with the keyboard and with the eyes; who goes back, where they were. @param {string} place */
function useArrival(place) {
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    toMain();
    if (!route.peek().hash) scrollTo(0, route.peek().top);
    // A view whose module is still being read is not there yet; nobody else may have the focus until then.
    whenShown(() => document.activeElement === document.body && toMain());
  }, [place]);
}

const toMain = () => document.getElementById("main")?.focus({ preventScroll: true });

const App = () => {
  if (who.value === undefined) return html`<${Frame}><main id="main"><${Loading} what="Opening" /></main></${Frame}>`;
  if (who.value === null) return html`<${SignIn} signIn=${enter} />`;
  return html`<${Frame}><${View} /></${Frame}><${Overlays} />`;
};

/** @param {string} key */
async function enter(key) {
  await signIn(key);
  await begin();
  await readSystem();
}

/** Who is here, the emergency stop, and the position from which the stream goes on; tried until the server is there. */
async function open() {
  try {
    await Promise.all([readWho(), begin(), readSystem()]);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) return;
    unreachable(error.message);
    setTimeout(open, 2000);
  }
}

shortcut("n", "new task", () => go("/tasks/new"));
shortcut("g b", "go to the board", () => go("/"));

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
render(html`<${App} />`, root);
open();
