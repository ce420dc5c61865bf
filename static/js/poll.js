/* Parts of a page that are asked for again while something moves:
     <div data-poll data-ticket="…" hx-get="…" hx-trigger="poll" hx-swap="outerHTML">
   Two seconds later at first and after every change, then ever more seldom, a minute at most;
   never in a tab that nobody looks at, and at once when it is looked at again. The ticket lets
   the server say cheaply that nothing has changed (204), see projects/live/polling.py; a part without
   one is compared by its server each time.
   `new Poll(ask)` does the same for a function: it promises whether there was something new,
   or GONE where there is no use in asking again. */

const FIRST = 2000, LAST = 60000, SLOWER = 1.5;  // ms
export const GONE = "gone";

/* How long to wait until the next time: ever longer, until something happens. */
export class Pace {
  #wait = FIRST;

  next() {
    const now = this.#wait;
    this.#wait = Math.min(now * SLOWER, LAST);
    return now;
  }

  reset(wait = FIRST) {
    this.#wait = wait;
  }
}

export class Poll {
  #ask; #pace = new Pace(); #timer; #asking = false; #over = false;

  constructor(ask) {
    this.#ask = ask;
    document.addEventListener("visibilitychange", this.#look);
    this.#later();
  }

  stop() {
    this.#over = true;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#look);
  }

  /* Ask now, and soon again: something was done here. */
  hurry() {
    this.#pace.reset();
    clearTimeout(this.#timer);
    return this.#now();
  }

  #look = () => {
    if (document.hidden) clearTimeout(this.#timer);
    else this.hurry();
  };

  #later() {
    clearTimeout(this.#timer);
    if (!this.#over && !document.hidden) this.#timer = setTimeout(() => this.#now(), this.#pace.next());
  }

  async #now() {
    if (this.#over || this.#asking || document.hidden) return;
    this.#asking = true;
    const news = await this.#ask().catch(() => false);
    this.#asking = false;
    if (news === GONE) this.stop();
    if (news) this.#pace.reset();
    this.#later();
  }
}

/* What htmx asks for. A part that was swapped is followed by the poll of what took its place. */
function pollPart(part) {
  let heard;
  part.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== part) return;  // of something within
    const { xhr } = event.detail;
    const ticket = xhr.getResponseHeader("X-Ticket");
    if (ticket) part.dataset.ticket = ticket;
    heard?.([200, 401, 403, 404].includes(xhr.status) ? GONE : false);
  });
  part.addEventListener("htmx:configRequest", (event) => {
    const { ticket } = part.dataset;
    if (event.target === part && ticket) event.detail.parameters.ticket = ticket;
  });
  new Poll(() => new Promise((resolve) => {
    heard = resolve;
    if (part.isConnected) window.htmx.trigger(part, "poll");
    else resolve(GONE);
  }));
}

const known = new WeakSet();
function begin() {
  for (const part of document.querySelectorAll("[data-poll]")) {
    if (known.has(part)) continue;
    known.add(part);
    pollPart(part);
  }
}
begin();
document.body.addEventListener("htmx:afterSettle", begin);
