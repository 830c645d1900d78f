// session.js: who sits in front of the page. The server judges every call; this only spares a click that it would refuse.

import { signal } from "@preact/signals";
import { api, whenSignedOut } from "./api.js";
import { hangUp, onLoss } from "./live.js";

/** undefined: not asked yet. null: nobody. @type {import("@preact/signals").Signal<import("./types/page").Who | null | undefined>} */
export const who = signal(undefined);

const LADDER = ["viewer", "operator", "approver", "admin"];

whenSignedOut(() => {
  who.value = null;
  hangUp();
});

/** Ask the server who we are. Throws Problem, also when nobody is signed in. */
export const readWho = async () => (who.value = await api("GET", "/session"));

// A stream that is refused because the session is over looks like a lost one. What else fails here is told by that.
onLoss(() => void readWho().catch(() => {}));

/** @param {string} key an API key; it is exchanged for a cookie that no script can read */
export async function signIn(key) {
  who.value = await api("POST", "/session", { body: { key } });
}

export async function signOut() {
  await api("DELETE", "/session");
  who.value = null;
  hangUp();
}

/** Why this role is needed and not there, or null. @param {string} role */
export function whyNot(role) {
  const mine = who.value?.role ?? "nobody";
  if (LADDER.indexOf(mine) >= LADDER.indexOf(role)) return null;
  return `This needs the role ${role}; you are ${mine}.`;
}
