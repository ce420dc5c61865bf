// Answers on their way to the server: kept in localStorage until the server has them, sent one
// after the other in the order they were given, each under its own UUID, so that sending one
// twice is harmless. One entry an answer, so that two tabs never overwrite each other. Each bears
// its address, so that any page of ours sends what another one has left behind.

const WAITS = [1, 2, 4, 8, 15, 30]; // seconds between tries while the server can't be reached
const TIMEOUT = 15_000;
const SENT = "wikivisage:sent"; // in sessionStorage: the faces of what was sent lately
const LATELY = 60_000; // ms: a page takes no longer to come

export function newUuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // plain http has no randomUUID
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex);
}

function csrfToken(root) {
  // the cookie, not the page: a login in another tab has changed it
  const name = `${root.dataset.csrfCookie}=`;
  const cookie = document.cookie.split("; ").find((part) => part.startsWith(name));
  return cookie
    ? decodeURIComponent(cookie.slice(name.length))
    : document.querySelector('meta[name="csrf-token"]').content;
}

/**
 * Events: `change` (something is waiting, or no longer), `sent` {item, body},
 * `refused` {item, sentence}: the server will never take it.
 */
export class Outbox extends EventTarget {
  #prefix;
  #root;
  #memory = new Map(); // where localStorage is switched off or full
  #sending = null; // the promise of what is being sent now
  #timer = 0;
  #tries = 0;
  #last = 0;
  trouble = ""; // "", "offline" or "signed-out"

  /** `root` has data-outbox (who and where), data-csrf-cookie and the addresses data-url-<op>. */
  constructor(root) {
    super();
    this.#root = root;
    this.#prefix = `wikivisage:${root.dataset.outbox}:`;
    addEventListener("online", () => this.flush());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.flush();
    });
  }

  get waiting() {
    return this.#kept((key) => key.startsWith(this.#prefix), [...this.#memory.keys()]);
  }

  /** What the same person gave on pages of other projects, or of other kinds, and never sent. */
  get #leftBehind() {
    const [, user] = this.#root.dataset.outbox.split(":");
    const isTheirs = (key) => key.startsWith("wikivisage:") && key.split(":")[2] === user;
    const found = this.#kept((key) => isTheirs(key) && !key.startsWith(this.#prefix));
    return found.filter((item) => item.url);
  }

  /** The faces of what is waiting. */
  get unsent() {
    return this.waiting.flatMap(facesIn);
  }

  /** The faces of what the page before this one still sent when this one was on its way: it may
      ask about them again. */
  get sentMeanwhile() {
    return sentLately().filter(({ at }) => at > performance.timeOrigin).map(({ face }) => face);
  }

  #kept(isWanted, keys = []) {
    for (let at = 0; at < localStorageLength(); at++) {
      const key = localStorage.key(at);
      if (isWanted(key)) keys.push(key);
    }
    return keys.sort().map((key) => this.#read(key)).filter(Boolean);
  }

  /** Keep `fields` for the address of `op` and send them; answers with the UUID they go under. */
  add(op, fields, target = "") {
    const uuid = newUuid();
    this.#last = Math.max(Date.now(), this.#last + 1); // the keys sort in the order of the answers
    const key = `${this.#prefix}${this.#last}:${uuid}`;
    const item = { key, op, uuid, fields, target, url: this.#address(op), at: Date.now() };
    try {
      localStorage.setItem(item.key, JSON.stringify(item));
    } catch {
      this.#memory.set(item.key, item);
    }
    this.flush();
    return uuid;
  }

  /** The server knows us no longer; what waits is kept until somebody logs in. */
  signedOut() {
    this.trouble = "signed-out";
    this.#changed();
  }

  /** Send what waits; settles when all is sent or the server can't be reached. */
  flush() {
    clearTimeout(this.#timer);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
      this.#changed();
    });
    return this.#sending;
  }

  async #sendAll() {
    const next = () => this.waiting[0] ?? this.#leftBehind[0];
    let item = next();
    while (item && (await this.#send(item))) item = next();
  }

  async #send(item) {
    this.#changed();
    let response;
    try {
      response = await fetch(item.url ?? this.#address(item.op), {
        method: "POST",
        body: body(item),
        headers: { "X-Background": "1", "X-CSRFToken": csrfToken(this.#root) },
        signal: AbortSignal.timeout(TIMEOUT),
      });
    } catch {
      return this.#later();
    }
    if (response.status >= 500 || [408, 425, 429].includes(response.status)) {
      return this.#later(Number(response.headers.get("Retry-After")));
    }
    const answer = await response.json().catch(() => ({}));
    // a 403 that gives no reason of ours is about the cookies, which went with the session
    if (response.status === 401 || (response.status === 403 && !answer.error)) {
      this.trouble = "signed-out";
      return false;
    }
    this.trouble = "";
    this.#tries = 0;
    noteSent(item);
    this.#forget(item);
    if (!item.key.startsWith(this.#prefix)) return true; // nothing of it is on this page
    if (response.ok) this.#tell("sent", { item, body: answer });
    else this.#refuse(item, answer.sentence ?? "");
    return true;
  }

  #address(op) {
    return this.#root.dataset[`url${op[0].toUpperCase()}${op.slice(1)}`];
  }

  #refuse(item, sentence) {
    // an undo of what never arrived would take back something else
    for (const undo of this.waiting.filter((other) => other.target === item.uuid)) {
      this.#forget(undo);
    }
    this.#tell("refused", { item, sentence });
  }

  /** `asked` seconds, where the server named any. */
  #later(asked = 0) {
    this.trouble = "offline";
    const seconds = asked || WAITS[Math.min(this.#tries++, WAITS.length - 1)];
    this.#timer = setTimeout(() => this.flush(), seconds * 1000);
    return false;
  }

  #read(key) {
    if (this.#memory.has(key)) return this.#memory.get(key);
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  #forget(item) {
    this.#memory.delete(item.key);
    if (localStorageLength()) localStorage.removeItem(item.key);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #changed() {
    this.#tell("change", {});
  }
}

function body(item) {
  const data = new FormData();
  data.set("client_uuid", item.uuid);
  if (item.at) data.set("waited", Math.max(0, Date.now() - item.at) / 1000);
  for (const [name, value] of Object.entries(item.fields)) {
    for (const one of [value].flat()) data.append(name, one);
  }
  return data;
}

function facesIn({ fields }) {
  return [fields.shown ?? fields.region ?? []].flat().filter(Boolean); // a photo without faces names none
}

function sentLately() {
  try {
    return JSON.parse(sessionStorage.getItem(SENT)) ?? [];
  } catch {
    return []; // switched off
  }
}

function noteSent(item) {
  const at = Date.now();
  const sent = [...sentLately(), ...facesIn(item).map((face) => ({ face, at }))];
  try {
    sessionStorage.setItem(SENT, JSON.stringify(sent.filter((each) => each.at > at - LATELY)));
  } catch {
    // switched off or full
  }
}

function localStorageLength() {
  try {
    return localStorage.length;
  } catch {
    return 0;
  }
}
