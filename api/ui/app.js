// app.js: wires what the server tells to what the page shows.

import { h, render } from "preact";
import { asOf, connection, groups, now, open, signedOut, signIn, system } from "./live.js";
import { Page, SignIn } from "./view.js";

const App = () =>
  signedOut.value
    ? h(SignIn, { signIn })
    : h(Page, {
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
