// Asking one face after the other without loading a page.

import { Desk } from "./desk.js";
import { one } from "./one.js";

new Desk(document.getElementById("ask"), 3, [one]);
