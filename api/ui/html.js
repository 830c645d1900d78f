// html.js: htm bound to Preact. Text from outside is text: nothing in a template can become markup.

import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
