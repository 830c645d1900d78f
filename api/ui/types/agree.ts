// agree.ts: what the API sends is what the page expects. Only the type check reads this; nothing loads it.

import type { components } from "./api";
import type { Card, LoggedEvent, Run, Task } from "./page";

type Sent = components["schemas"];
/** An error here: the second, from our OpenAPI document, lacks or changes something of the first, the page's own. */
type Fits<Expected, Given extends Expected> = Given;
/** These hold what GitHub, Cloud Run and the rules answer, and are described more loosely by the API. */
type Loose = "evidence" | "verdict" | "proof" | "repair" | "lease" | "run" | "stages" | "failure";

export type Agreed = [
  Fits<Omit<Card, Loose>, Sent["Card"]>,
  Fits<Omit<Task, Loose>, Sent["Task"]>,
  Fits<Omit<Run, Loose>, Sent["Run"]>,
  Fits<Omit<LoggedEvent, Loose>, Sent["Event"]>,
];
