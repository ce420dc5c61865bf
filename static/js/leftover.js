// On pages where nobody answers: what was answered while the network or the session was away, and
// is still in this browser, is sent now. static/js/base.js loads it where there is any.

import { Outbox } from "./outbox.js";

const left = document.getElementById("left-behind"); // who is logged in

if (left) new Outbox(left).flush();
