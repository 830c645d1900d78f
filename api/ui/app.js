// app.js: wires what the server tells to what the page shows.

import { h, render } from "preact";
import { asOf, connection, groups, now, open, system } from "./live.js";
import { Page } from "./view.js";

const App = () =>
  h(Page, {
    groups: groups.value,
    connection: connection.value,
    asOf: asOf.value,
    system: system.value,
    now: now.value,
  });

const root = document.getElementById("app");
root.replaceChildren();
render(h(App), root);
open();
