// system.js: the emergency stop, as the server knows it.

import { signal } from "@preact/signals";
import { api } from "./api.js";
import { onEvent, onReturn } from "./live.js";

/** @type {import("@preact/signals").Signal<{armed: boolean, reason: string, by: string, since: string | null} | null>} */
export const system = signal(null);

export const readSystem = async () => (system.value = await api("GET", "/system"));

/** Nothing new is dispatched from now on. @param {string} reason */
export const disarm = async (reason) => (system.value = await api("POST", "/system/disarm", { body: { reason } }));

/** What waited goes on. */
export const arm = async () => (system.value = await api("POST", "/system/arm"));

// A read that fails is made up for when the connection is back; until then the page says how old it is.
const again = () => void readSystem().catch(() => {});
onEvent(({ event }) => event.type.startsWith("system.") && again());
onReturn(again);
