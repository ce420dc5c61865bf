// Says on the page what the outbox is waiting for.

const NONE = ["undo", "skip", "skipscreen"]; // what is no answer

/** Call the result whenever the outbox changes. */
export function troubleOn(outbox, words) {
  const find = (id) => document.getElementById(id);
  return () => {
    const { waiting } = outbox;
    const undone = waiting.filter(({ op }) => op === "undo").map(({ target }) => target);
    const answers = waiting.filter(({ op, uuid }) => !NONE.includes(op) && !undone.includes(uuid));
    // a screen holds as many answers as faces
    const n = answers.flatMap(({ fields }) => fields.shown ?? fields.region ?? 1).length;
    const kept = n ? (n === 1 ? words.kept : words.keptMany).replace("{n}", n) : "";
    const [away, out] = ["offline", "signed-out"].map((trouble) => outbox.trouble === trouble);
    find("net").hidden = !away;
    find("signed-out").hidden = !out;
    write(find("net-text"), away ? `${words.offline} ${kept}`.trim() : "");
    write(find("signed-out-text"), out ? kept : "");
    // what waits is not done, as the toast says; Undo stays on the page
    if (kept && (away || out)) document.querySelector("#toasts .toast:not(.bad)")?.remove();
  };
}

/** What stays as it is is not read out again. */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

export function toast(text, undo = null, kind = "") {
  const detail = { text, kind, ...(undo && { undo }) };
  document.body.dispatchEvent(new CustomEvent("toast", { detail }));
}
