// Answers on their way to the server: kept in localStorage until the server has them, sent one
// after the other in the order they were given, each under its own UUID, so that sending one
// twice is harmless. One entry an answer, so that two tabs never overwrite each other.

const WAITS = [1, 2, 4, 8, 15, 30]; // seconds between tries while the server can't be reached
const TIMEOUT = 15_000;

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
    : document.querySelector("[name=csrfmiddlewaretoken]").value;
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
    const keys = [...this.#memory.keys()];
    for (let at = 0; at < localStorageLength(); at++) {
      const key = localStorage.key(at);
      if (key.startsWith(this.#prefix)) keys.push(key);
    }
    return keys.sort().map((key) => this.#read(key)).filter(Boolean);
  }

  /** Keep `fields` for the address of `op` and send them; answers with the UUID they go under. */
  add(op, fields, target = "") {
    const uuid = newUuid();
    this.#last = Math.max(Date.now(), this.#last + 1); // the keys sort in the order of the answers
    const item = { key: `${this.#prefix}${this.#last}:${uuid}`, op, uuid, fields, target };
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
    let item = this.waiting[0];
    while (item && (await this.#send(item))) item = this.waiting[0];
  }

  async #send(item) {
    this.#changed();
    let response;
    try {
      response = await fetch(this.#address(item.op), {
        method: "POST",
        body: body(item),
        headers: { "X-Background": "1", "X-CSRFToken": csrfToken(this.#root) },
        signal: AbortSignal.timeout(TIMEOUT),
      });
    } catch {
      return this.#later();
    }
    if (response.status >= 500 || [408, 425, 429].includes(response.status)) return this.#later();
    const answer = await response.json().catch(() => ({}));
    // a 403 that gives no reason of ours is about the cookies, which went with the session
    if (response.status === 401 || (response.status === 403 && !answer.error)) {
      this.trouble = "signed-out";
      return false;
    }
    this.trouble = "";
    this.#tries = 0;
    this.#forget(item);
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

  #later() {
    this.trouble = "offline";
    const seconds = WAITS[Math.min(this.#tries++, WAITS.length - 1)];
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
  for (const [name, value] of Object.entries(item.fields)) {
    for (const one of [value].flat()) data.append(name, one);
  }
  return data;
}

function localStorageLength() {
  try {
    return localStorage.length;
  } catch {
    return 0;
  }
}
