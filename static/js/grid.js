// Asking in the way that saves most work, without loading a page: a screen of faces, or one.

import { Desk } from "./desk.js";
import { many } from "./many.js";
import { one } from "./one.js";

new Desk(document.getElementById("grid"), 1, [one, many]);
